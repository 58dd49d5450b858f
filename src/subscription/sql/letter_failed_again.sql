-- $1 letter, $2 history, $3 when.
update dead_letter
set replays = replays + 1, attempts = attempts + 1, history = $2, last_failed_at = $3, published = false
where id = $1 and state = 'open'
