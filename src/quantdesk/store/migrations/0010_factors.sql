-- Second factors: one authenticator app, passkeys and recovery codes for each account.

create table totps (
    account_id  uuid primary key references accounts,
    seed        bytea not null,                 -- sealed about totp:<account id>
    last_step   bigint not null,                -- RFC 6238's T of the last code that was taken
    wrong       integer not null default 0,     -- tries since wrong_since that were not right
    wrong_since timestamptz not null,
    added_at    timestamptz not null
);

-- An app that has not shown yet that it knows its seed: only who began may confirm it.
create table totp_enrolments (
    account_id uuid primary key references accounts,
    holder     uuid not null,                   -- the session or key that began
    seed       bytea not null,                  -- sealed about totp:<account id>:<holder>
    tries      integer not null default 0,
    expires_at timestamptz not null
);

create table recovery_codes (
    account_id uuid not null references accounts,
    hash       bytea not null,                  -- SHA-256 of the code's 80 random bits
    used_at    timestamptz,
    primary key (account_id, hash)
);

create table passkeys (
    id            uuid primary key,
    account_id    uuid not null references accounts,
    credential_id bytea not null unique,
    public_key    bytea not null,               -- COSE_Key
    sign_count    bigint not null check (sign_count >= 0),
    name          text not null,
    backed_up     boolean not null,
    added_at      timestamptz not null,
    used_at       timestamptz
);
create index passkeys_by_account on passkeys (account_id);

-- Challenges that were answered, until they would have expired anyway.
create table spent_challenges (
    hash       bytea primary key,
    expires_at timestamptz not null
);
create index spent_challenges_by_expiry on spent_challenges (expires_at);

-- Tries to finish a sign-in, by the ticket's SHA-256.
create table ticket_tries (
    ticket_hash bytea primary key,
    tries       integer not null,
    begun_at    timestamptz not null
);
create index ticket_tries_by_begin on ticket_tries (begun_at);

-- One key for all processes of the desk, sealed about factor_key:<name>.
create table factor_keys (
    name   text primary key,
    sealed bytea not null
);
