-- $1 name, $2 version, $3 number. What was found before is forgotten.
with forgotten as (
    delete from rebuild_difference where name = $1 and version = $2 and number = $3
)
update rebuild
set phase = 'verify', compare_after = null, rows_compared = 0, rows_different = 0, verified_at = null
where name = $1 and version = $2 and number = $3 and phase in ('verify', 'ready')
