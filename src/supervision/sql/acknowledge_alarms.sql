-- $1 ids, $2 who, $3 why.
update alarm set acknowledged_at = clock_timestamp(), acknowledged_by = $2, acknowledged_why = $3
where alarm_id = any ($1) and acknowledged_at is null
