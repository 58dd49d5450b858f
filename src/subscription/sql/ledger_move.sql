-- $1 subscription, $2 event, $3 state it must be in, $4 state it gets.
update processed_event set state = $4 where subscription = $1 and event_id = $2 and state = $3
