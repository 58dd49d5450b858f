-- $1 subscription, $2 event, $3 who ran it. A row that tells nothing goes.
with quiet as (
    update event_attempt set runs_as = null
    where subscription = $1 and event_id = $2 and runs_as = $3 and attempts + deaths > 0
)
delete from event_attempt where subscription = $1 and event_id = $2 and runs_as = $3 and attempts + deaths = 0
