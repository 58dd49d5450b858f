-- The catalogue as customers see it.
create table {table} (
    product_id text primary key,
    name text not null,
    amount bigint not null,
    currency text not null,
    description text not null,
    attributes jsonb not null,
    version integer not null,
    created_at timestamptz,
    updated_at timestamptz
);
