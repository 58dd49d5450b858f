-- $1 name or null, $2 seconds after which a process is taken for ended.
select read_model.name, read_model.version, read_model.number, read_model.state, read_model.is_active, read_model.why,
    read_model.created_at, read_model.left_at, rebuild.phase,
    case when rebuild.paused_at is not null then rebuild.paused_by || ': ' || rebuild.paused_why end as paused,
    rebuild.held_why, rebuild.failed_why, rebuild.workers, rebuild.rate,
    rebuild.started_by || ': ' || rebuild.started_why as started, rebuild.started_at, rebuild.events_total,
    rebuild.events_done, pieces.done as pieces_done, pieces.pieces, rebuild.at_event,
    extract(epoch from coalesce(rebuild.bulk_ended_at, clock_timestamp()) - rebuild.bulk_began_at)::float8 as bulk_seconds,
    rebuild.rows_compared, rebuild.rows_different, rebuild.verified_at, left_out.events as left_out,
    code.newest as newest_code
from read_model
left join rebuild using (name, version, number)
left join lateral (
    select count(done_at) as done, count(*) as pieces
    from rebuild_piece
    where (rebuild_piece.name, rebuild_piece.version, rebuild_piece.number)
        = (read_model.name, read_model.version, read_model.number)
) as pieces on rebuild.phase is not null
left join lateral (
    select count(*) as events
    from rebuild_left_out
    where (rebuild_left_out.name, rebuild_left_out.version, rebuild_left_out.number)
        = (read_model.name, read_model.version, read_model.number)
) as left_out on rebuild.phase is not null
left join lateral (
    select max(version) as newest
    from read_model_code
    where read_model_code.name = read_model.name and seen_at > clock_timestamp() - make_interval(secs => $2)
) as code on true
where $1::text is null or read_model.name = $1
order by read_model.name, read_model.is_active desc, read_model.created_at desc
