-- $1 name, $2 version, $3 number, $4 who, $5 why.
update rebuild set paused_at = clock_timestamp(), paused_by = $4, paused_why = $5
where name = $1 and version = $2 and number = $3 and paused_at is null and phase not in ('ready', 'ended')
