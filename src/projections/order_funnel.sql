-- One row a UTC day on which orders were placed. Every event of these orders changes it.
create table {table} (
    placed_on text primary key,
    day date not null,
    placed bigint not null,
    confirmed bigint not null,
    rejected bigint not null,
    cancelled bigint not null,
    shipped bigint not null,
    delivered bigint not null,
    confirmed_in_100ms bigint not null,
    confirmed_in_1s bigint not null,
    confirmed_in_10s bigint not null,
    confirmed_in_1min bigint not null,
    confirmed_later bigint not null,
    shipped_in_1h bigint not null,
    shipped_in_1d bigint not null,
    shipped_in_3d bigint not null,
    shipped_later bigint not null
) with (fillfactor = 20);
create index {name}_by_day on {table} (day);
