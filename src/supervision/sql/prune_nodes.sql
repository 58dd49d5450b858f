-- Nothing is bound.
delete from node where heartbeat_at < clock_timestamp() - interval '1 day'
