-- $1 node id, $2 its name; then one element an alarm: $3 id, $4 code, $5 place, $6 why, $7 times, $8 raised at,
-- $9 last raised at, $10 ended at. An alarm that was over and begins again has to be acknowledged again.
insert into alarm (node_id, node, alarm_id, code, place, why, times, raised_at, last_at, ended_at)
select $1, $2, *
from unnest($3::uuid[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::timestamptz[], $9::timestamptz[],
    $10::timestamptz[])
on conflict (alarm_id) do update
set why = excluded.why, times = excluded.times, last_at = excluded.last_at, ended_at = excluded.ended_at,
    acknowledged_at = case when alarm.ended_at is not null and excluded.times > alarm.times then null
        else alarm.acknowledged_at end
