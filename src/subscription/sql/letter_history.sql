-- $1 letter. Locked, if it is open.
select history from dead_letter where id = $1 and state = 'open' for update
