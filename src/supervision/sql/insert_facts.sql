-- Facts once each, however often they are sent.
-- $1 ids, $2 times, $3 nodes, $4 paths, $5 kinds, $6 whats, $7 whys, $8 causes, $9 pauses in ms, $10 restarts left.
insert into supervision_fact (fact_id, at, node, path, kind, what, why, cause, backoff_ms, budget_left)
select *
from unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::bigint[], $10::integer[])
on conflict (fact_id) do nothing
