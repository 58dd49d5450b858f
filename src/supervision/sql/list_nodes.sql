-- Nothing is bound.
select node_id, name, roles, build, address, started_at, heartbeat_at, stopped_at, clock_ahead_ms,
    extract(epoch from clock_timestamp() - heartbeat_at)::float8 as silent_seconds
from node
where heartbeat_at > clock_timestamp() - interval '1 day'
order by heartbeat_at desc
limit 1000
