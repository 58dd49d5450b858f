-- $1 subscription: events that were applied as a patch has changed them.
select stream_id, version, patch
from dead_letter
where subscription = $1 and state = 'resolved' and patch is not null and stream_id is not null and version is not null
