-- One dead letter; a record that is met again is the letter it was.
-- $1 id, $2 subscription, $3 event id, $4 source, $5 partition, $6 offset, $7 time, $8 stream, $9 version, $10 position,
-- $11 event type, $12 key, $13 payload, $14 header names, $15 header values, $16 class, $17 stage, $18 error type,
-- $19 error, $20 attempts, $21 first failed at, $22 last failed at, $23 build, $24 fingerprint, $25 origin,
-- $26 number among its subscription's outcomes.
insert into dead_letter (id, subscription, event_id, source, partition, source_offset, source_time, stream_id, version,
    position, event_type, record_key, payload, header_names, header_values, class, stage, error_type, error, attempts,
    first_failed_at, last_failed_at, build, fingerprint, origin, outcome_no)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25,
    $26)
on conflict do nothing
