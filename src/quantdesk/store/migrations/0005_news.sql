-- News as it was told, one row for each story, and what the sources that cost something spent.

create table news (
    key          text primary key check (key <> ''),
    source       text not null,                  -- who told it first
    title        text not null,
    url          text not null,                  -- http or https, or empty
    publisher    text not null,
    summary      text not null,
    symbols      text[] not null,
    votes        jsonb not null,                 -- count by name; the latest word on each
    published_at timestamptz not null,
    received_at  timestamptz not null,           -- when it first reached the desk
    raw_id       text not null                   -- of the message it first came in
);

create index news_by_time on news (published_at desc, key desc);
create index news_by_symbol on news using gin (symbols);
create index news_by_arrival on news (received_at);

-- Reserved before a request is made, so that no restart forgets it.
create table source_spending (
    source   text not null,
    day      date not null,                      -- UTC
    requests integer not null check (requests >= 0),
    usd      numeric not null check (usd >= 0),
    primary key (source, day)
);
