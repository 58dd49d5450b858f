-- $1 letters.
select id, payload from dead_letter where id = any($1::uuid[]) order by id
