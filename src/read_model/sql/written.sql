-- $1 name. The versions that are written, the active one first.
select version, number, is_active
from read_model
where name = $1 and state = 'attached'
order by is_active desc, version, number
