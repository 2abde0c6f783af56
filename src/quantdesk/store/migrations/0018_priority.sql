-- What an order pays for speed is a term of it; null leaves it to the desk's setting.

alter table orders add column priority text check (priority in ('economy', 'normal', 'urgent'));

-- Proven with the other terms by the leaf of the first event. Leaves of orders without one, and so
-- of every order before this migration, are as they were.
create or replace function event_leaf(e order_events, o orders) returns bytea
    language sql stable parallel safe
    return sha256(uuid_send(e.order_id) || int4send(e.version) || int4send(e.attempt)
        || timestamptz_send(e.at) || textsend(e.status) || '\x00'::bytea
        || coalesce(uuid_send(o.account_id) || int8send(o.base_raw) || int4send(o.slippage_bps)
            || uuid_send(o.decision_id) || timestamptz_send(o.created_at)
            || coalesce(timestamptz_send(o.expires_at), '\xffffffffffffffff')
            || textsend(concat(o.mode, E'\n', o.pair, E'\n', o.side, E'\n', o.limit_price, E'\n',
                o.notional_usd, E'\n' || o.priority)) || '\x00'::bytea, ''::bytea)
        || json_send(e.data));
