-- Stock per product: received = available + reserved + shipped, always. Every order of a product changes its row.
create table {table} (
    product_id text primary key,
    available bigint not null constraint {name}_available_not_negative check (available >= 0),
    reserved bigint not null constraint {name}_reserved_not_negative check (reserved >= 0),
    shipped bigint not null constraint {name}_shipped_not_negative check (shipped >= 0)
) with (fillfactor = 20);
