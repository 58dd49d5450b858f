-- $1 replay, locked, $2 letters that have been done. The last one ends it.
update replay
set done = done + $2, state = case when done + $2 >= total then 'done' else state end,
    ended_at = case when done + $2 >= total then clock_timestamp() end
where replay_id = $1
