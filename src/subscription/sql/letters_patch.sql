-- $1 letters, $2 JSON patch or null: what their next replay changes in the payload.
update dead_letter set patch = $2 where id = any($1::uuid[]) and patch is distinct from $2
