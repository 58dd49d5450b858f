-- $1 id, $2 the clock of the node.
update node
set heartbeat_at = clock_timestamp(), stopped_at = null,
    clock_ahead_ms = (extract(epoch from $2 - clock_timestamp()) * 1000)::bigint
where node_id = $1
