-- $1 subscription, $2 event. What became of it, as far as the ledger remembers.
select state from processed_event where subscription = $1 and event_id = $2
