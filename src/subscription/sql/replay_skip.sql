-- $1 replay, locked. Its letters that have ended by other means, each with what became of it.
update replay_letter asked
set done_at = clock_timestamp(), outcome = coalesce(letter.state, 'discarded')
from replay_letter mine
left join dead_letter letter on letter.id = mine.letter_id
where mine.replay_id = $1 and mine.done_at is null and letter.state is distinct from 'open'
    and asked.replay_id = mine.replay_id and asked.ordinal = mine.ordinal and asked.done_at is null
