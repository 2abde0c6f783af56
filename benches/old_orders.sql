-- A million orders that ended a month ago, one per second, each with two of its events.
insert into orders (id, mode, account_id, pair, side, base_raw, slippage_bps, notional_usd,
    decision_id, status, open, version, attempt, execution_price, tx_hash, filled_base_raw,
    filled_quote_raw, network_fee_lamports, lease_until, created_at, updated_at)
select (lpad(to_hex(at_ms), 12, '0') || '7' || substr(noise, 1, 3) || '8' || substr(noise, 4, 15))::uuid,
    'paper', (select id from accounts limit 1), 'SOL-USDC', 'BUY', 10500000000, 50, 1575,
    gen_random_uuid(), 'CONFIRMED', false, 5, 1, 150.15, 'paper-' || noise || noise, 10500000000,
    1576575000, 0, at, at, at
from (select (extract(epoch from now()) * 1000)::bigint - 2592000000 + i * 1000 as at_ms,
          now() - interval '30 days' + make_interval(secs => i) as at, md5(i::text) as noise
      from generate_series(1, 1000000) i) as old;
insert into order_events (order_id, version, status, attempt, at, data)
select o.id, v, case v when 1 then 'PENDING' else 'CONFIRMED' end, 1, o.created_at,
    case v when 1 then '{"decision": {"verdict": "APPROVED"}}' else '{}' end::json
from orders o, unnest(array[1, 5]) v where o.created_at < now() - interval '10 days';
vacuum (analyze) orders;
vacuum (analyze) order_events;
checkpoint;
