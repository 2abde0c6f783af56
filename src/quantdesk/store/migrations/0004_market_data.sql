-- Market data: sampled prices, candles, what is missing of them, and what was declared bad.
-- Prices and volumes are exact (numeric), times are UTC. Leaves of the partitions are made ahead,
-- and dropped when they are old, by code (ingest/store/partitions.py): nothing is ever deleted row
-- by row to make room.

-- One row per feed and sampling, by day of receipt. `raw_ns`: the message behind it is named
-- source:raw_ns; null where no message is kept. `validity` is the number of core/validity.py.
create table ticks (
    source      text not null,
    symbol      text not null,
    currency    text not null,
    kind        text not null,
    event_at    timestamptz,                   -- null where the source gives no time
    received_at timestamptz not null,
    price       numeric not null check (price > 0),
    confidence  numeric not null check (confidence >= 0),
    validity    smallint not null,
    raw_ns      bigint
) partition by range (received_at);
create index ticks_by_market on ticks (source, symbol, currency, received_at);

-- Closed candles, the latest revision of each. By interval first, as each is kept for another
-- while. `backfilled`: told by the exchange afterwards, or added up from such.
create table candles (
    source           text not null,
    symbol           text not null,
    currency         text not null,
    interval         text not null,
    open_at          timestamptz not null,
    open             numeric not null check (open > 0),
    high             numeric not null check (high >= open and high >= close),
    low              numeric not null check (low > 0 and low <= open and low <= close),
    close            numeric not null,
    volume           numeric not null check (volume >= 0),
    quote_volume     numeric,                  -- null, like the next, where nobody told it
    taker_buy_volume numeric,
    trades           bigint not null,
    first_id         bigint not null,          -- -1, like the next, where there is none
    last_id          bigint not null,
    revision         integer not null,
    flat             boolean not null,
    gap              boolean not null,
    origin           text not null check (origin in ('trades', 'exchange')),
    reconciled       boolean not null,
    backfilled       boolean not null,
    primary key (source, symbol, currency, interval, open_at)
) partition by list (interval);

create table candles_1s  partition of candles for values in ('1s')  partition by range (open_at);
create table candles_5s  partition of candles for values in ('5s')  partition by range (open_at);
create table candles_15s partition of candles for values in ('15s') partition by range (open_at);
create table candles_1m  partition of candles for values in ('1m')  partition by range (open_at);
create table candles_5m  partition of candles for values in ('5m')  partition by range (open_at);
create table candles_15m partition of candles for values in ('15m') partition by range (open_at);
create table candles_1h  partition of candles for values in ('1h')  partition by range (open_at);
create table candles_4h  partition of candles for values in ('4h')  partition by range (open_at);
create table candles_1d  partition of candles for values in ('1d')  partition by range (open_at);

-- What is known to be missing. `missing` can be asked for again, `filled` was; `lost` cannot be had
-- any more; `absent` the exchange itself does not have, and is never asked for again.
create table market_gaps (
    kind     text not null check (kind in ('ticks', 'candles', 'book')),
    source   text not null,
    symbol   text not null,
    currency text not null,
    interval text not null,                    -- of candles; empty for others
    from_at  timestamptz not null,
    to_at    timestamptz not null check (to_at > from_at),
    count    bigint not null,                  -- of rows, or updates; 0 where nobody knows
    reason   text not null,
    fate     text not null check (fate in ('missing', 'filled', 'lost', 'absent')),
    noted_at timestamptz not null,
    filled_at timestamptz,
    primary key (kind, source, symbol, currency, interval, from_at, fate),
    check ((fate = 'filled') = (filled_at is not null))
);

-- The number of the last batch of every writer, moved in the transaction that stores the batch:
-- where nobody can say whether a commit happened, this says it, and no row is stored twice.
create table market_writers (
    id    uuid primary key,
    batch bigint not null,
    at    timestamptz not null
) with (fillfactor = 50);

-- What was declared bad and taken out, by whom and why. Append-only.
create table market_forgotten (
    id       uuid primary key,
    at       timestamptz not null,
    actor    text not null,
    reason   text not null check (reason <> ''),
    source   text not null,
    symbol   text,                             -- null, like the next: all of the source
    currency text,
    from_at  timestamptz not null,
    to_at    timestamptz not null check (to_at > from_at),
    ticks    bigint not null,
    candles  bigint not null
);
