-- $1 consumer. Its oldest running replay, with the first letter that is not done, if there is one. With n letters a second
-- (1 at least), a letter goes n / rate seconds after the n-th before it: no second sees more than the rate.
select replay.replay_id, replay.requested_by, replay.why, next.ordinal, next.letter_id, letter.patch,
    coalesce(letter.state = 'open', false) as is_open,
    coalesce(pace.done_at + make_interval(secs => greatest(ceil(replay.per_second), 1) / replay.per_second)
        <= clock_timestamp(), true) as is_due
from (
    select * from replay where subscription = $1 and state = 'running' order by requested_at, replay_id limit 1
) replay
left join lateral (
    select ordinal, letter_id from replay_letter
    where replay_letter.replay_id = replay.replay_id and done_at is null
    order by ordinal
    limit 1
) next on true
left join dead_letter letter on letter.id = next.letter_id
left join lateral (
    select done_at from replay_letter
    where replay_letter.replay_id = replay.replay_id and outcome = 'applied'
    order by ordinal desc
    offset greatest(ceil(replay.per_second), 1)::integer - 1
    limit 1
) pace on true
