-- $1 seconds for which nobody has written them.
select name, version, number
from read_model
where state = 'detached' and detached_at < clock_timestamp() - make_interval(secs => $1)
order by name, version, number
