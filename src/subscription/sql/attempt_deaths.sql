-- $1 subscription, $2 event.
select deaths from event_attempt where subscription = $1 and event_id = $2
