-- $1 name, $2 version, $3 number, $4 partition, $5 where it stands, $6 where it goes. Only while it catches up.
update rebuild_place set position = $6
where name = $1 and version = $2 and number = $3 and partition = $4 and position = $5
    and exists (select from rebuild where name = $1 and version = $2 and number = $3 and phase = 'catch_up')
