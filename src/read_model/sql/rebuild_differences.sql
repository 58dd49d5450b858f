-- $1 name, $2 version, $3 number, $4 after this key or null, $5 most rows.
select key, active_row, own_row
from rebuild_difference
where name = $1 and version = $2 and number = $3 and ($4::text is null or key > $4)
order by key
limit $5
