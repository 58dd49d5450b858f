-- $1 replay: locked, if it is running.
select replay_id from replay where replay_id = $1 and state = 'running' for update
