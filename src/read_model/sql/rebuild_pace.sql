-- $1 name, $2 version, $3 number, $4 workers or null, $5 events a second or null.
update rebuild set workers = coalesce($4, workers), rate = coalesce($5, rate)
where name = $1 and version = $2 and number = $3
