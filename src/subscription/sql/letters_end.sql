-- $1 letters, $2 state, $3 by whom, $4 why. Answers with those that were open.
update dead_letter set state = $2, ended_at = clock_timestamp(), ended_by = $3, ended_why = $4
where id = any($1::uuid[]) and state = 'open'
returning id
