-- Users of the desk: an account may have an email address and wallets; acts wait for the audit.

alter table accounts
    add column email             text unique,          -- lower case
    add column email_verified_at timestamptz,
    add column disabled_at       timestamptz,
    add column kyc               text not null default 'none'
        check (kyc in ('none', 'pending', 'approved', 'rejected')),
    add column plan              text not null default 'free';

create table wallets (
    chain      text not null check (chain in ('solana', 'evm')),
    address    text not null,                           -- as its chain writes it (EIP-55, base58)
    account_id uuid not null references accounts,
    added_at   timestamptz not null,
    primary key (chain, address)
);
create index wallets_by_account on wallets (account_id);

-- Acts that are committed with what they did, until the audit has chained them.
create table acts (
    number bigint generated always as identity primary key,
    id     uuid not null unique,
    at     timestamptz not null,
    act    json not null
);
