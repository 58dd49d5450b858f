-- $1 whether acknowledged ones, too, $2 most rows, $3 seconds after which a node is silent. An alarm of a process that
-- has gone may be over or not: nobody knows.
select alarm_id, code, place, why, times, alarm.node, raised_at, last_at, ended_at, acknowledged_at, acknowledged_by,
    acknowledged_why,
    case when ended_at is not null then 'over'
        when node.stopped_at is null and node.heartbeat_at > clock_timestamp() - make_interval(secs => $3)
            then 'standing'
        else 'unknown' end as state
from alarm
left join node using (node_id)
where $1 or acknowledged_at is null
order by raised_at desc, alarm_id
limit $2
