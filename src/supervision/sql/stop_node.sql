-- $1 node id.
update node set stopped_at = clock_timestamp(), heartbeat_at = clock_timestamp() where node_id = $1
