-- The desk's first tables: who may act, and the orders with everything that proves them.
-- Amounts are base units (bigint), prices are exact (numeric), times are UTC.

create table accounts (
    id         uuid primary key,
    name       text not null,
    role       text not null check (role in ('viewer', 'trader', 'approver', 'admin', 'owner')),
    created_at timestamptz not null
);

create table api_keys (
    id         uuid primary key,
    account_id uuid not null references accounts,
    name       text not null,
    hash       bytea not null unique,          -- sha256 of the key; the key itself is never stored
    created_at timestamptz not null,
    revoked_at timestamptz
);

create table orders (
    id                   uuid not null,
    mode                 text not null check (mode in ('paper', 'localnet', 'devnet', 'mainnet')),
    account_id           uuid not null,
    pair                 text not null,
    side                 text not null check (side in ('BUY', 'SELL')),
    base_raw             bigint not null check (base_raw > 0),
    limit_price          numeric check (limit_price > 0),
    slippage_bps         integer not null check (slippage_bps between 0 and 10000),
    expires_at           timestamptz,
    notional_usd         numeric not null,
    -- Nothing is stored, and so nothing is sent, without the risk kernel's approval; the first
    -- event holds it whole.
    decision_id          uuid not null,
    status               text not null,
    open                 boolean not null,
    version              integer not null,
    attempt              integer not null,
    waiting              text,
    outcome              text,
    execution_price      numeric,
    tx_hash              text,
    filled_base_raw      bigint,
    filled_quote_raw     bigint,
    network_fee_lamports bigint,
    error                jsonb,
    lease_owner          uuid,
    lease_until          timestamptz,
    created_at           timestamptz not null,
    updated_at           timestamptz not null,
    primary key (id, mode),
    check (open = (status in ('PENDING', 'ROUTING', 'BUILDING', 'SUBMITTED')))
) with (fillfactor = 70);

-- `open` and not `status`: an index whose predicate names status would make every move non-HOT.
create index orders_open on orders (lease_until) where open;
create index orders_by_account on orders (account_id, id desc);

-- Append-only, both. No foreign keys: rows are only ever written in the statement that moves their
-- order. An event holds what became of the attempt before it (`fate`, `receipt`), so that signed
-- bytes are written once and never touched again.
create table order_events (
    order_id uuid not null,
    version  integer not null,
    status   text not null,
    attempt  integer not null,
    at       timestamptz not null,
    data     jsonb not null,
    primary key (order_id, version),
    check (version > 1 or data -> 'decision' ->> 'verdict' = 'APPROVED')
);

create table order_attempts (
    order_id          uuid not null,
    attempt           integer not null,
    route             jsonb not null,          -- the quotes seen, the choice and its reason
    simulation        jsonb not null,
    raw               bytea not null,          -- signed bytes, committed before they are first sent
    signature         text not null,
    last_valid_height bigint not null,
    signed_at         timestamptz not null,
    primary key (order_id, attempt)
);

create table idempotency_keys (
    account_id uuid not null,
    key        text not null,
    body_hash  bytea not null,
    order_id   uuid not null,
    created_at timestamptz not null,
    primary key (account_id, key)
);
create index idempotency_keys_age on idempotency_keys (created_at);
