-- $1 subscription, $2 stream.
select source, partition, source_offset, source_time, record_key, payload, header_names, header_values
from parked_event
where subscription = $1 and stream_id = $2
order by version
limit 1
