-- $1 process, $2 its name, $3 read models, $4 the version of each.
insert into read_model_code (node_id, node, name, version)
select $1, $2, name, version from unnest($3::text[], $4::smallint[]) as known(name, version)
on conflict (node_id, name, version) do update set seen_at = clock_timestamp()
