-- $1 node id, $2 tree, $3 workload, both JSON.
insert into node_summary (node_id, tree, workload) values ($1, $2, $3)
on conflict (node_id) do update set at = clock_timestamp(), tree = excluded.tree, workload = excluded.workload
