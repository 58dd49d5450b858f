-- $1 ids of letters that the broker has acknowledged.
update dead_letter set published = true where id = any($1::uuid[])
