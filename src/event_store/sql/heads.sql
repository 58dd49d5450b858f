-- Head of each log partition.
select partition, position from log_head order by partition
