-- Texts that wallets were asked to sign and that have not been forgotten yet.

create table wallet_nonces (
    hash       bytea primary key,              -- sha256 of the nonce; the nonce is never stored
    chain      text not null check (chain in ('solana', 'evm')),
    address    text not null,                  -- as its chain writes it (EIP-55, base58)
    chain_id   text not null,                  -- as the text says it
    purpose    text not null check (purpose in ('sign-in', 'link', 'prove')),
    domain     text not null,
    uri        text not null,
    network    text not null,                  -- of whoever asked; open ones are counted by it
    browser    bytea,                          -- sha256 of the asking browser's cookie
    issued_at  timestamptz not null,
    expires_at timestamptz not null,
    used_at    timestamptz
);
create index wallet_nonces_by_expiry on wallet_nonces (expires_at);
create index wallet_nonces_open on wallet_nonces (network, expires_at) where used_at is null;
