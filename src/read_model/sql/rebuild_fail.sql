-- $1 name, $2 version, $3 number, $4 why.
update rebuild set failed_at = clock_timestamp(), failed_why = $4, held_why = null
where name = $1 and version = $2 and number = $3
