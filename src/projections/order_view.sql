-- One row an order, with its story. Listed by time, for one customer or for all.
create table {table} (
    order_id uuid primary key,
    user_id text not null,
    status text not null,
    items jsonb not null,
    total_amount bigint not null,
    currency text not null,
    reason text,
    missing jsonb not null,
    timeline jsonb not null,
    version integer not null,
    created_at timestamptz,
    confirmed_at timestamptz
);
create index {name}_by_time on {table} (created_at desc, order_id desc);
create index {name}_by_user on {table} (user_id, created_at desc, order_id desc);
