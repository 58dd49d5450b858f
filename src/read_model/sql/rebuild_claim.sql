-- $1 read models, $2 a version of the code for each, $3 who, $4 for how many seconds. The one it has, else the oldest that
-- nobody works on.
update rebuild
set runs_as = $3, runs_until = clock_timestamp() + make_interval(secs => $4)
where (name, version, number) = (
    select rebuild.name, rebuild.version, rebuild.number
    from rebuild
    join unnest($1::text[], $2::smallint[]) as known(name, version) using (name, version)
    where phase not in ('ready', 'ended') and paused_at is null and failed_at is null
        and (runs_as is null or runs_as = $3 or runs_until < clock_timestamp())
    order by runs_as = $3 desc nulls last, started_at
    limit 1
    for update of rebuild skip locked
)
returning name, version, number, phase, workers, rate, compare_after, events_total, bulk_began_at
