-- What acts added up to, and the networks that are kept out for it.

create table security_events (
    id          uuid primary key,
    at          timestamptz not null,
    kind        text not null,
    severity    text not null check (severity in ('notice', 'warning', 'critical')),
    subject     text not null,
    count       integer not null,
    since       timestamptz not null,
    detail      text not null,
    network     text not null,
    account_id  uuid,
    block_s     integer not null,
    notified_at timestamptz,                            -- null: its notice is still to be sent
    tries       integer not null default 0
);
create index security_events_by_time on security_events (at desc);
create index security_events_to_notify on security_events (at) where notified_at is null;

create table blocks (
    network  text primary key,
    until    timestamptz not null,
    event_id uuid not null references security_events,
    reason   text not null
);
