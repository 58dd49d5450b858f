-- $1 subscription, $2 source, $3 partition.
select exists (select from parked_stream where subscription = $1 and source = $2 and partition = $3)
