-- $1 letters. Those that are open, locked.
select id from dead_letter where id = any($1::uuid[]) and state = 'open' order by id for update
