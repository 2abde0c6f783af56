-- The audit: acts and batches of order rows, chained by hashes; days signed with a key of the desk.

-- Whatever has this trigger is append-only: the desk's own role may only read it and add to it
-- (store/role.py), and its owner is refused too, until they take the trigger away.
create function append_only() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only', tg_table_name using errcode = 'insufficient_privilege';
end $$;

create table audit (
    seq       bigint primary key check (seq > 0),            -- 1, 2, 3 …
    prev_hash bytea not null check (length(prev_hash) = 32),
    hash      bytea not null check (length(hash) = 32),      -- sha256(prev_hash ‖ body)
    body      json not null                                  -- kept as it was hashed, byte for byte
);
-- No columns beside the body that could tell something else than it: it is searched as it is.
create unique index audit_by_id on audit (((body ->> 'id')::uuid));
create index audit_by_account on audit ((body ->> 'account'), seq) where body ->> 'account' is not null;
create index audit_by_action on audit (((body ->> 'action') collate "C"), seq);
create index audit_by_about on audit ((body ->> 'about'), seq) where body ->> 'about' is not null;
create index audit_by_time on audit (((body ->> 'at')::bigint), seq);

create table audit_keys (
    id         text primary key,                             -- of sha256(public_key), the first half
    public_key bytea not null check (length(public_key) = 32),
    made_at    timestamptz not null
);
create table audit_signers (
    key    text primary key references audit_keys,
    sealed bytea not null                                    -- Ed25519 seed under the master key
);
create table audit_roots (
    last_seq  bigint primary key check (last_seq > 0),
    statement json not null,                                 -- kept as it was signed
    key       text not null references audit_keys,
    signature bytea not null
);

-- Rows of orders are covered where they are written: one statement's rows are a batch, its digest
-- is noted in the same transaction, and the audit chains it soon after.
create sequence order_event_batches;
create sequence order_attempt_batches;
create table order_batches (
    kind   text not null check (kind in ('attempt', 'event')),
    batch  bigint not null,
    rows   bigint not null,
    digest bytea not null,                                   -- sha256 over the leaves of its rows
    primary key (kind, batch)
);
-- Which row of the audit covers a batch: to find it by, and never to be believed.
create table audited_batches (
    kind  text not null,
    batch bigint not null,
    seq   bigint not null,
    primary key (kind, batch)
);

-- What was there before the audit is batch 0. Rows are only ever added, so batches lie in order.
alter table order_events add column batch bigint not null default 0;
alter table order_events alter column batch set default currval('order_event_batches');
create index order_events_by_batch on order_events using brin (batch)
    with (pages_per_range = 32, autosummarize = on);
alter table order_attempts add column batch bigint not null default 0;
alter table order_attempts alter column batch set default currval('order_attempt_batches');
create index order_attempts_by_batch on order_attempts using brin (batch)
    with (pages_per_range = 32, autosummarize = on);

-- A row's leaf is the sha256 of its bytes as laid out here; ops/verify_evidence.py makes it again
-- without a database. The first event of an order takes along what was asked for.
create function event_leaf(e order_events, o orders) returns bytea language sql stable parallel safe
    return sha256(uuid_send(e.order_id) || int4send(e.version) || int4send(e.attempt)
        || timestamptz_send(e.at) || textsend(e.status) || '\x00'::bytea
        || coalesce(uuid_send(o.account_id) || int8send(o.base_raw) || int4send(o.slippage_bps)
            || uuid_send(o.decision_id) || timestamptz_send(o.created_at)
            || coalesce(timestamptz_send(o.expires_at), '\xffffffffffffffff')
            || textsend(concat(o.mode, E'\n', o.pair, E'\n', o.side, E'\n', o.limit_price, E'\n',
                o.notional_usd)) || '\x00'::bytea, ''::bytea)
        || json_send(e.data));

create function attempt_leaf(a order_attempts) returns bytea language sql stable parallel safe
    return sha256(uuid_send(a.order_id) || int4send(a.attempt) || int8send(a.last_valid_height)
        || timestamptz_send(a.signed_at) || textsend(a.signature) || '\x00'::bytea
        || int4send(length(a.raw)) || a.raw
        || int4send(octet_length(a.simulation::text)) || json_send(a.simulation)
        || json_send(a.route));

create function number_events() returns trigger language plpgsql as $$
declare
    number bigint := nextval('order_event_batches');
begin
    return null;
end $$;

create function number_attempts() returns trigger language plpgsql as $$
declare
    number bigint := nextval('order_attempt_batches');
begin
    return null;
end $$;

-- Plans outlive the moment they are made in, when the table may have been empty.
create function note_events() returns trigger language plpgsql
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
begin
    insert into order_batches (kind, batch, rows, digest)
    select 'event', batch, count(*), sha256(string_agg(leaf, ''::bytea order by order_id, version))
    from (select e.batch, e.order_id, e.version, event_leaf(e, o) as leaf
          from added e left join orders o on e.version = 1 and o.id = e.order_id
          offset 0) as leaves  -- a fence: leaves are sorted, not documents
    group by batch;
    return null;
end $$;

create function note_attempts() returns trigger language plpgsql as $$
begin
    insert into order_batches (kind, batch, rows, digest)
    select 'attempt', batch, count(*), sha256(string_agg(leaf, ''::bytea order by order_id, attempt))
    from (select a.batch, a.order_id, a.attempt, attempt_leaf(a) as leaf from added a
          offset 0) as leaves
    group by batch;
    return null;
end $$;

insert into order_batches (kind, batch, rows, digest)
select 'event', 0, count(*),
    sha256(string_agg(event_leaf(e, o), ''::bytea order by e.order_id, e.version))
from order_events e left join orders o on e.version = 1 and o.id = e.order_id having count(*) > 0;
insert into order_batches (kind, batch, rows, digest)
select 'attempt', 0, count(*),
    sha256(string_agg(attempt_leaf(a), ''::bytea order by a.order_id, a.attempt))
from order_attempts a having count(*) > 0;

create trigger number_events before insert on order_events
    for each statement execute function number_events();
create trigger note_events after insert on order_events referencing new table as added
    for each statement execute function note_events();
create trigger number_attempts before insert on order_attempts
    for each statement execute function number_attempts();
create trigger note_attempts after insert on order_attempts referencing new table as added
    for each statement execute function note_attempts();

do $$
declare
    kept text;
begin
    foreach kept in array
        array['audit', 'audit_keys', 'audit_roots', 'order_events', 'order_attempts']
    loop
        execute format('create trigger append_only before update or delete or truncate on %I
            for each statement execute function append_only()', kept);
        execute format('alter table %I enable always trigger append_only', kept);
    end loop;
    alter table order_events enable always trigger number_events;
    alter table order_attempts enable always trigger number_attempts;
    alter table order_events enable always trigger note_events;
    alter table order_attempts enable always trigger note_attempts;
end $$;
