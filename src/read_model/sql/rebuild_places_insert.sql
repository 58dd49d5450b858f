-- $1 name, $2 version, $3 number, $4 a position for each partition, $5 their sum.
with places as (
    insert into rebuild_place (name, version, number, partition, position)
    select $1, $2, $3, partition - 1, position from unnest($4::bigint[]) with ordinality as places(position, partition)
)
update rebuild set events_total = $5 where name = $1 and version = $2 and number = $3
