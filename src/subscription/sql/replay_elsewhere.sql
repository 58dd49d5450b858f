-- $1 letters. One of them that a running replay has before it, with that replay.
select letter.letter_id, replay.replay_id
from replay
join replay_letter letter using (replay_id)
where replay.state = 'running' and letter.done_at is null and letter.letter_id = any($1::uuid[])
order by replay.requested_at, letter.ordinal
limit 1
