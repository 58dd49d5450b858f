-- One row a customer and currency. Those who spent most are found by an index.
create table {table} (
    user_currency text primary key,
    user_id text not null,
    currency text not null,
    orders bigint not null,
    confirmed bigint not null,
    spent bigint not null,
    first_order_at timestamptz,
    last_order_at timestamptz
);
create index {name}_by_spent on {table} (spent desc, user_currency);
