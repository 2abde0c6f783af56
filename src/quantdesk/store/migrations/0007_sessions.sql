-- Sessions, the keys that sign their tokens, what narrows an API key, and how every process of the
-- desk hears that something of these changed.

create table signing_keys (
    id         uuid primary key,                        -- the "kid" of what it signs
    sealed     bytea not null,                          -- Ed25519 seed under the master key
    public     bytea not null,
    made_at    timestamptz not null,
    retired_at timestamptz                              -- signs no more; verifies until its last token expired
);

create table sessions (
    id         uuid primary key,
    account_id uuid not null references accounts,
    method     text not null,                           -- what proved who it is: wallet, password …
    ip         text not null,
    agent      text not null,
    opened_at  timestamptz not null,
    proven_at  timestamptz not null,                    -- when the person last proved to be there
    renewed_at timestamptz not null,
    expires_at timestamptz not null,
    ended_at   timestamptz,
    ended_why  text
);
create index sessions_by_account on sessions (account_id) where ended_at is null;

create table refresh_tokens (
    hash       bytea primary key,                       -- sha256; the token itself is never stored
    session_id uuid not null references sessions on delete cascade,
    made_at    timestamptz not null,
    spent_at   timestamptz
);
create index refresh_tokens_by_session on refresh_tokens (session_id);

-- Single-use and short-lived: a first factor that waits for the second, or a socket about to open.
create table tickets (
    hash       bytea primary key,                       -- sha256
    purpose    text not null check (purpose in ('factor', 'socket')),
    account_id uuid not null references accounts,
    method     text not null default '',
    session_id uuid references sessions on delete cascade,
    key_id     uuid references api_keys,
    expires_at timestamptz not null
);
create index tickets_by_expiry on tickets (expires_at);

alter table api_keys
    add column prefix    text not null default '',      -- of the key, to recognize it by
    add column scopes    text[],                        -- null: all that the account's role may
    add column allow_ips text[] not null default '{}',  -- networks (CIDR); empty: from anywhere
    add column expires_at timestamptz,
    add column used_at   timestamptz,
    add column local     boolean not null default false;
update api_keys set local = true where name = 'owner.key';
create index api_keys_by_account on api_keys (account_id);

-- Changes, numbered in the order of their commits: the number is taken when the transaction ends
-- and its row stays locked until it has. Each process asks for those above the last it knows.
create table access_clock (
    one    boolean primary key default true check (one),
    number bigint not null
);
insert into access_clock (number) values (0);

create table access_changes (
    number bigint primary key,
    kind   text not null,
    id     uuid not null
);

create function note_access_change() returns trigger language plpgsql as $$
declare
    next bigint;
begin
    update access_clock set number = number + 1 returning number into next;
    insert into access_changes (number, kind, id) values (next, tg_argv[0], new.id);
    delete from access_changes where number <= next - 10000;
    return null;
end $$;

create constraint trigger account_changed
    after insert or update of name, role, email, disabled_at, kyc, plan on accounts
    deferrable initially deferred for each row execute function note_access_change('account');
create constraint trigger api_key_changed
    after insert or update of revoked_at, expires_at, scopes, allow_ips on api_keys
    deferrable initially deferred for each row execute function note_access_change('api_key');
create constraint trigger session_changed
    after insert or update of proven_at, expires_at, ended_at on sessions
    deferrable initially deferred for each row execute function note_access_change('session');
create constraint trigger signing_key_changed
    after insert or update of retired_at on signing_keys
    deferrable initially deferred for each row execute function note_access_change('signing_key');
