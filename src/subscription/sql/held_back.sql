-- $1 subscription.
select stream_id, version from parked_event where subscription = $1
union
select stream_id, version
from dead_letter
where subscription = $1 and state in ('open', 'discarded') and stream_id is not null and version is not null
