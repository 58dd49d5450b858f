-- $1 subscription, $2 stream, $3 version.
with gone as (
    delete from parked_event where subscription = $1 and stream_id = $2 and version = $3 returning 1
)
update parked_stream set depth = depth - (select count(*) from gone) where subscription = $1 and stream_id = $2
