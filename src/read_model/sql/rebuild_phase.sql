-- $1 name, $2 version, $3 number, $4 the phase that begins.
update rebuild
set phase = $4,
    held_why = null,
    bulk_began_at = case when $4 = 'bulk' then clock_timestamp() else bulk_began_at end,
    bulk_ended_at = case when $4 = 'index' then clock_timestamp() else bulk_ended_at end,
    attached_at = case when $4 = 'verify' and attached_at is null then clock_timestamp() else attached_at end,
    verified_at = case when $4 = 'ready' then clock_timestamp() when $4 = 'verify' then null else verified_at end
where name = $1 and version = $2 and number = $3 and phase <> 'ended'
