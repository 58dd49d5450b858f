-- $1 seconds that a version is kept after another one became active.
select name, version, number
from read_model
where state = 'attached' and not is_active and left_at < clock_timestamp() - make_interval(secs => $1)
order by name, version, number
