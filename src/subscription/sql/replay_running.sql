-- $1 replay.
select subscription as consumer, state, total, done from replay where replay_id = $1
