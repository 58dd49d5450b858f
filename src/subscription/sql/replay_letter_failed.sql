-- $1 replay, $2 number of the letter.
update replay_letter set outcome = 'failed' where replay_id = $1 and ordinal = $2
