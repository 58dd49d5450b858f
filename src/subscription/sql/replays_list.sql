-- $1 consumer or null, $2 most rows.
select replay_id, subscription as consumer, state, total, done, per_second, requested_at, requested_by, why, ended_at,
    ended_why, letters.applied, letters.skipped,
    case when state = 'running' then ((total - done) / per_second)::float8 end as seconds_left
from replay
cross join lateral (
    select count(*) filter (where outcome = 'applied') as applied,
        count(*) filter (where done_at is not null and outcome <> 'applied') as skipped
    from replay_letter
    where replay_letter.replay_id = replay.replay_id
) letters
where $1::text is null or subscription = $1
order by requested_at desc, replay_id desc
limit $2
