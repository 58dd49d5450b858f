-- $1 name, $2 version, $3 number, $4 why it waits, or null.
update rebuild set held_why = $4
where name = $1 and version = $2 and number = $3 and held_why is distinct from $4
