-- $1 subscription, $2 events.
delete from event_attempt where subscription = $1 and event_id = any($2::uuid[])
