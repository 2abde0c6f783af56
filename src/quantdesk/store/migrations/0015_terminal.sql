-- What the terminal's page needs: how each user set it up, and what their fills came to.

-- One JSON document a user, as their client wrote it; the desk never looks inside.
create table user_settings (
    account_id uuid primary key references accounts,
    document   text not null check (octet_length(document) <= 16384),
    updated_at timestamptz not null
);

-- Confirmed orders that the portfolio has not counted yet, in the order they came. A row is born in
-- the statement that confirms its order, and dies in the transaction that enters the fill.
create table portfolio_unread (
    number   bigint generated always as identity primary key,
    order_id uuid not null
);

-- What confirmed orders really moved, and what that realized by average cost; base units.
create table portfolio_fills (
    order_id             uuid primary key,
    account_id           uuid not null,
    mode                 text not null check (mode in ('paper', 'localnet', 'devnet', 'mainnet')),
    pair                 text not null,
    side                 text not null check (side in ('BUY', 'SELL')),
    base_raw             bigint not null check (base_raw >= 0),
    quote_raw            bigint not null check (quote_raw >= 0),
    network_fee_lamports bigint not null,
    other_fees           json not null,              -- paid in a third asset, by symbol
    realized_raw         numeric not null,           -- of the quote
    unknown_base_raw     bigint not null,            -- sold, but never bought by these orders
    unknown_quote_raw    bigint not null,            -- what that brought
    at                   timestamptz not null
);
create index portfolio_fills_by_pair
    on portfolio_fills (account_id, mode, pair, at desc, order_id desc);
create index portfolio_fills_by_account
    on portfolio_fills (account_id, mode, at desc, order_id desc);

-- Running totals, so that what is read does not grow with the orders: engines/portfolio/model.py.
create table portfolio_pairs (
    account_id           uuid not null,
    mode                 text not null,
    pair                 text not null,
    bought_base_raw      numeric not null,
    bought_quote_raw     numeric not null,
    sold_base_raw        numeric not null,
    sold_quote_raw       numeric not null,
    position_raw         numeric not null check (position_raw >= 0),
    cost_raw             numeric not null check (cost_raw >= 0),
    realized_raw         numeric not null,
    unknown_base_raw     numeric not null,
    unknown_quote_raw    numeric not null,
    network_fee_lamports numeric not null,
    other_fees           json not null,
    fills                numeric not null,
    first_at             timestamptz not null,
    last_at              timestamptz not null,
    primary key (account_id, mode, pair)
);

insert into portfolio_unread (order_id)
select id from orders where status = 'CONFIRMED' order by updated_at, id;
