-- $1 replay, $2 number of the letter, $3 why. Only if the letter is not done: another process may have had more luck.
update replay set state = 'failed', ended_at = clock_timestamp(), ended_why = $3
where replay_id = $1 and state = 'running'
    and exists (select from replay_letter where replay_letter.replay_id = $1 and ordinal = $2 and done_at is null)
