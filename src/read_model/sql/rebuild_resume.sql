-- $1 name, $2 version, $3 number.
update rebuild
set paused_at = null, paused_by = null, paused_why = null, failed_at = null, failed_why = null
where name = $1 and version = $2 and number = $3 and (paused_at is not null or failed_at is not null)
