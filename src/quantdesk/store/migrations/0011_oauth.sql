-- Sign-in with an account elsewhere: requests under way, and who is who.

create table oauth_requests (
    state_hash   bytea primary key,                    -- sha256 of the state the provider hands back
    browser_hash bytea not null,                       -- sha256 of the asking browser's cookie
    provider     text not null,
    sealed       bytea not null,                       -- nonce and PKCE verifier
    account_id   uuid references accounts,             -- set: an account is to be linked
    cookie       boolean not null,
    expires_at   timestamptz not null
);
create index oauth_requests_by_expiry on oauth_requests (expires_at);

create table oauth_identities (
    issuer     text not null,
    subject    text not null,
    account_id uuid not null references accounts,
    provider   text not null,
    email      text,
    linked_at  timestamptz not null,
    primary key (issuer, subject)
);
create index oauth_identities_by_account on oauth_identities (account_id);
