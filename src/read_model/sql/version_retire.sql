-- $1 name, $2 version, $3 number. What its rebuild noted goes with its table; that there was one is history.
with pieces as (
    delete from rebuild_piece where name = $1 and version = $2 and number = $3
), places as (
    delete from rebuild_place where name = $1 and version = $2 and number = $3
), left_out as (
    delete from rebuild_left_out where name = $1 and version = $2 and number = $3
), differences as (
    delete from rebuild_difference where name = $1 and version = $2 and number = $3
)
update read_model set state = 'retired' where name = $1 and version = $2 and number = $3
