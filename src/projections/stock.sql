-- Stock per product: received = available + reserved + shipped, always. Every order of a product changes its row.
create table {table} (
    product_id text primary key,
    available bigint not null,
    reserved bigint not null,
    shipped bigint not null
) with (fillfactor = 20);
alter table {table}
    add constraint {name}_available_not_negative check (available >= 0),
    add constraint {name}_reserved_not_negative check (reserved >= 0),
    add constraint {name}_shipped_not_negative check (shipped >= 0);
