-- Limits: of trading (edited while the desk runs), of requests, and of tries to sign in.

-- Rises by one with every change below it: what other processes ask twice a second.
create table guard_state (
    one     boolean primary key default true check (one),
    version bigint not null
);
insert into guard_state (version) values (0);

-- What holds now. A name is a limit of guard/limits.py, or `halt`.
create table guard_values (
    account_id uuid references accounts,           -- null: the whole desk
    name       text not null,
    value      jsonb not null,
    unique nulls not distinct (account_id, name)
);

create table guard_history (
    version    bigint not null,
    account_id uuid,
    name       text not null,
    before     jsonb,                              -- null: there was none
    after      jsonb,                              -- null: it was taken away
    by         uuid not null,
    at         timestamptz not null,
    primary key (version, name)
);
create index guard_history_by_account on guard_history (account_id, version desc);

create function guard_history_stays() returns trigger language plpgsql as $$
begin
    raise exception 'the history of limits is only ever added to';
end $$;
create trigger guard_history_stays before update or delete or truncate on guard_history
    for each statement execute function guard_history_stays();

-- Tokens spent of each bucket of requests by all processes together. Not worth a write-ahead log:
-- after a crash of the database every bucket is full again.
create unlogged table rate_spending (
    subject text primary key,
    spent   double precision not null,
    at      timestamptz not null
);
create index rate_spending_age on rate_spending (at);

-- Tries to sign in, counted until one succeeds. `subject` is a digest of the account's name as it
-- was typed, whether there is one or not; null counts all of a network.
create table sign_in_tries (
    subject  bytea,
    network  text not null,
    tries_ms bigint[] not null default '{}',
    locks    integer not null default 0,
    until_ms bigint not null default 0,
    at       timestamptz not null,
    unique nulls not distinct (subject, network)
);
create index sign_in_tries_age on sign_in_tries (at);
