-- What the process that signs says of itself, where roles run apart: one row per mode. Processes
-- that serve clients read from it what they would otherwise need the wallet's key for.

create table signing (
    mode     text primary key check (mode in ('paper', 'localnet', 'devnet', 'mainnet')),
    worker   uuid not null,                    -- who said it last; several may sign for one wallet
    wallet   text not null,                    -- the public address
    rpc      text not null,                    -- of the localnet; empty where settings name the node
    ws       text not null,
    tables   text[] not null,                  -- lookup tables that large transactions may use
    balances jsonb,                            -- by symbol in base units, as last read; null if unknown
    seen_at  timestamptz not null
);
