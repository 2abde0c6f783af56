-- What every fill was quoted, simulated and filled at, and where the market went after it.
-- One row for each leg of each confirmed order; amounts are base units, times are UTC.

create table execution_quality (
    order_id        uuid not null,
    leg             smallint not null check (leg >= 0),
    legs            smallint not null check (legs > leg),
    mode            text not null check (mode in ('paper', 'localnet', 'devnet', 'mainnet')),
    account_id      uuid not null,
    pair            text not null,
    side            text not null check (side in ('BUY', 'SELL')),
    venue           text not null,
    pool            text not null,
    kind            text not null,             -- of the pool; empty where the route does not say
    base_raw        bigint not null check (base_raw >= 0),
    quoted_raw      bigint not null check (quoted_raw >= 0),
    simulated_raw   bigint check (simulated_raw >= 0),
    landed_base_raw bigint not null check (landed_base_raw >= 0),
    landed_raw      bigint not null check (landed_raw >= 0),
    landed_price    numeric,                   -- quote per base; null where nothing moved
    landed_at       timestamptz not null,
    measured        boolean not null,          -- landed_raw is this leg's own, not a share
    -- The board's word: {"price", "atMs", "ageMs", "source"}, or {"missing": why}. Written once,
    -- in the order of their moments; null until due.
    decision        jsonb not null,
    landing         jsonb,
    markout_10s     jsonb,
    markout_1m      jsonb,
    markout_5m      jsonb,
    next_due        timestamptz,               -- of the first that is null; null once all are there
    primary key (order_id, leg),
    check ((next_due is null) = (markout_5m is not null))
) with (fillfactor = 80);

create index execution_quality_due on execution_quality (next_due, order_id, leg)
    where next_due is not null;
create index execution_quality_by_account
    on execution_quality (account_id, landed_at desc, order_id desc, leg desc);

-- Confirmed orders that the ledger has not read yet. The row is born in the transaction that
-- confirms the order and dies in the one that enters it into the ledger, so no crash and no other
-- process between the two loses a fill or counts it twice. `problem` says why one cannot be read.
create table execution_unread (
    order_id uuid primary key,
    problem  text
);

create function execution_note_confirmed() returns trigger language plpgsql as $$
begin
    insert into execution_unread (order_id) values (new.order_id) on conflict do nothing;
    return null;
end
$$;

create trigger execution_confirmed after insert on order_events
    for each row when (new.status = 'CONFIRMED') execute function execution_note_confirmed();

insert into execution_unread (order_id)
select distinct id from orders where status = 'CONFIRMED';
