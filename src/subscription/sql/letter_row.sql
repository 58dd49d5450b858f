-- $1 letter. As it was written.
select id, subscription, event_id, source, partition, source_offset, source_time, stream_id, version, position,
    event_type, record_key, payload, header_names, header_values, class, stage, error_type, error, attempts,
    first_failed_at, last_failed_at, build, origin, fingerprint, replays, history
from dead_letter
where id = $1
