-- Nothing is bound. Only what is over and was acknowledged.
delete from alarm
where alarm_id in (
    select alarm_id from alarm
    where acknowledged_at is not null and ended_at < clock_timestamp() - interval '30 days'
    limit 1000
)
