-- $1 replay, locked, $2 number of the letter.
update replay_letter set done_at = clock_timestamp(), outcome = 'applied'
where replay_id = $1 and ordinal = $2 and done_at is null
