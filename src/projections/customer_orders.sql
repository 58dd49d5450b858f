-- One row an order, narrow: what a customer's list shows and is filtered by. Walked by time, newest first.
create table {table} (
    order_id uuid primary key,
    user_id text not null,
    status text not null,
    total_amount bigint not null,
    currency text not null,
    lines integer not null,
    pieces bigint not null,
    placed_at timestamptz,
    changed_at timestamptz,
    version integer not null
);
create index {name}_by_user on {table} (user_id, placed_at desc, order_id desc);
create index {name}_by_user_and_status on {table} (user_id, status, placed_at desc, order_id desc);
