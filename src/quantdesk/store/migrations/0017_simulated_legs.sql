-- What a leg's simulation moved is its own, and a fee in an asset that was not traded is told.
--
-- Each pool's part of a simulation is told as that of a landing is. Entries made before this one
-- shared what was simulated out among their legs, which the new column says of them; the only leg
-- of an order had nothing to share, whatever the column says.

alter table execution_quality
    add column simulated_measured boolean not null default false,
    add column other_fees jsonb;               -- {"BNB": "0.0003"}; null where there were none

update execution_quality q set other_fees = (e.data -> 'receipt' -> 'otherFees')::jsonb
from order_events e
where e.order_id = q.order_id and e.status = 'CONFIRMED' and q.leg = 0
  and (e.data -> 'receipt' -> 'otherFees') is not null;
