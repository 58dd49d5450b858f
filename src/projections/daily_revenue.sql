-- One row a UTC day and currency. Nearly every order changes the row of its day, so there is room to change it in place.
create table {table} (
    day_currency text primary key,
    day date not null,
    currency text not null,
    placed bigint not null,
    confirmed bigint not null,
    rejected bigint not null,
    cancelled bigint not null,
    revenue bigint not null
) with (fillfactor = 20);
create index {name}_by_day on {table} (day, currency);
