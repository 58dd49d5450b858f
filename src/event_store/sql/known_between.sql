-- $1 partition, $2 from this position, $3 to this one. What the log has there.
select position, stream_id, version from log where partition = $1 and position between $2 and $3
