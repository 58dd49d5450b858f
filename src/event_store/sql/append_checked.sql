-- $1 append ids, $2 streams, $3 partitions, $4 first versions, $5 events of each append; then one element a row:
-- $6 number of its append from 1, $7 version, $8 partition_key, $9 event_type, $10 schema_version, $11 payload, $12 meta.
select append_no, accepted, first_position, recorded_at
from log_append_checked($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
