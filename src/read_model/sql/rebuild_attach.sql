-- $1 name, $2 version, $3 number.
update read_model set state = 'attached' where name = $1 and version = $2 and number = $3 and state = 'building'
