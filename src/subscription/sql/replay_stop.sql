-- $1 replay, $2 by whom and why.
update replay set state = 'stopped', ended_at = clock_timestamp(), ended_why = $2
where replay_id = $1 and state = 'running'
returning subscription as consumer, total, done
