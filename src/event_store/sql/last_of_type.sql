-- $1 partition, $2 position up to which to look, $3 event type.
select position from log
where partition = $1 and position <= $2 and event_type = $3
order by position desc
limit 1
