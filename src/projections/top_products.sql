-- One row a product and currency. Every sale of a product changes its row: no index on the figures, so that it is changed
-- in place. A query sorts all of it, which is as many rows as there are products.
create table {table} (
    product_currency text primary key,
    product_id text not null,
    currency text not null,
    orders bigint not null,
    pieces bigint not null,
    revenue bigint not null
) with (fillfactor = 20);
