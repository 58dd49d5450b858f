-- $1 the node that asks, which knows its own. Processes that stopped as they were told to have no actors.
select node_id, name, node_summary.at, tree, workload
from node_summary
join node using (node_id)
where node_id <> $1 and stopped_at is null and heartbeat_at > clock_timestamp() - interval '1 hour'
order by name, node_id
