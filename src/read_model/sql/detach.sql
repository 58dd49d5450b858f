-- $1 name, $2 version, $3 number, $4 why. Answers with how many were left behind.
with left_behind as (
    update read_model set state = 'detached', detached_at = clock_timestamp(), why = $4
    where name = $1 and version = $2 and number = $3 and state in ('building', 'attached') and not is_active
    returning name, version, number
), ended as (
    update rebuild set phase = 'ended', runs_as = null, runs_until = null
    from left_behind
    where (rebuild.name, rebuild.version, rebuild.number) = (left_behind.name, left_behind.version, left_behind.number)
)
select count(*) from left_behind
