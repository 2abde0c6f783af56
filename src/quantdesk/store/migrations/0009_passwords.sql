-- Passwords of accounts, links that prove a mailbox once, and mail that waits to be sent.

create table passwords (
    account_id uuid primary key references accounts,
    hash       text not null,                    -- Argon2id in PHC form, or bcrypt that came along
    changed_at timestamptz not null,
    version    integer not null default 1        -- passwords that were chosen so far
);

-- The token of a link is 256 bits and in no table: only its SHA-256 is.
-- A newer one replaces an older one: an account has one for each purpose at most.
create table links (
    id         uuid primary key,
    hash       bytea not null unique,
    purpose    text not null check (purpose in ('verify', 'reset')),
    account_id uuid not null references accounts,
    email      text not null,                    -- what the link proves; another one voids it
    made_at    timestamptz not null,
    expires_at timestamptz not null,
    used_at    timestamptz
);
create index links_by_account on links (account_id, purpose);

-- What a letter is to be about; its text, and any link in it, is made when it is sent.
create table letters (
    id         uuid primary key,
    kind       text not null,
    recipient  text not null,
    made_at    timestamptz not null,
    expires_at timestamptz not null,             -- nobody wants it later
    due_at     timestamptz not null,             -- whoever sends it moves this on first
    tries      integer not null default 0,
    done_at    timestamptz,
    outcome    text check (outcome in ('sent', 'rejected', 'expired', 'needless'))
);
create index letters_due on letters (due_at) where done_at is null;
create index letters_by_recipient on letters (recipient, kind, made_at);
create index letters_done on letters (done_at) where done_at is not null;
