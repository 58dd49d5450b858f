-- $1 id, $2 name, $3 roles, $4 build, $5 address of the ops listener, $6 the clock of the node.
insert into node (node_id, name, roles, build, address, clock_ahead_ms)
values ($1, $2, $3, $4, $5, (extract(epoch from $6 - clock_timestamp()) * 1000)::bigint)
on conflict (node_id) do nothing
