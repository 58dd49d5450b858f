-- $1 subscription, $2 source, $3 partition, $4 epoch, $5 lease in seconds. No row: another owner has taken over.
update checkpoint set lease_until = clock_timestamp() + make_interval(secs => $5)
where subscription = $1 and source = $2 and partition = $3 and epoch = $4
returning epoch
