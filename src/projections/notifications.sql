-- One row a notification: an order and a template. Shown by order.
create table {table} (
    notification text primary key,
    order_id uuid not null,
    user_id text not null,
    template text not null,
    state text not null,
    requested_at timestamptz,
    version integer not null
);
create index {name}_by_order on {table} (order_id);
