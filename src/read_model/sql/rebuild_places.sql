-- $1 name, $2 version, $3 number. In the order of the partitions.
select position from rebuild_place where name = $1 and version = $2 and number = $3 order by partition
