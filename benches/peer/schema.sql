-- The documents' single table: the state of an order and its log in one row.
create table orders (
  id              uuid primary key,
  pair            text not null,
  amount          double precision not null,
  direction       text not null,
  status          text not null default 'PENDING',
  logs            jsonb not null default '[]',
  tx_hash         text,
  execution_price double precision,
  created_at      timestamptz not null default now(),
  updated_at      timestamptz not null default now()
);
