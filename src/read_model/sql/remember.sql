-- $1 name, $2 version of the code. Its first table, unless it has any; answers with the version if so.
insert into read_model (name, version, number, state, is_active)
select $1, $2, 1, 'attached', true
where not exists (select from read_model where name = $1)
on conflict do nothing
returning version
