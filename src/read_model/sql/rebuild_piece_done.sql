-- $1 name, $2 version, $3 number, $4 piece, $5 events, $6 when the newest of them was appended. Answers with the piece if it
-- was left and the rebuild goes on.
with piece as (
    update rebuild_piece set done_at = clock_timestamp()
    where name = $1 and version = $2 and number = $3 and piece = $4 and done_at is null
        and exists (select from rebuild where name = $1 and version = $2 and number = $3 and phase = 'bulk')
    returning piece
), counted as (
    update rebuild set events_done = events_done + $5, at_event = greatest(at_event, $6)
    where name = $1 and version = $2 and number = $3 and exists (select from piece)
)
select piece from piece
