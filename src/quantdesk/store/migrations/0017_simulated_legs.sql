-- Each pool's part of a simulation is told as that of a landing is. Entries made before this one
-- shared what was simulated out among their legs, which the new column says of them; an order of
-- one leg had nothing to share.

alter table execution_quality
    add column simulated_measured boolean not null default false;

update execution_quality set simulated_measured = true
where legs = 1 and simulated_raw is not null;
