-- $1 subscription, $2 source, $3 partition.
select epoch from checkpoint where subscription = $1 and source = $2 and partition = $3
