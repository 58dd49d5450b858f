-- $1 name, $2 version, $3 number, $4 most to be kept; then one element a row: $5 key, $6 the active row, $7 the own one.
insert into rebuild_difference (name, version, number, key, active_row, own_row)
select $1, $2, $3, key, active_row, own_row
from unnest($5::text[], $6::jsonb[], $7::jsonb[]) as rows(key, active_row, own_row)
order by key
limit greatest(0, $4 - (select count(*) from rebuild_difference where name = $1 and version = $2 and number = $3))
on conflict (name, version, number, key) do update set active_row = excluded.active_row, own_row = excluded.own_row
