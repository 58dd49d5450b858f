-- $1 subscription, $2 source, $3 partition, $4 epoch. Lets the next owner in at once.
update checkpoint set owner = null, lease_until = null
where subscription = $1 and source = $2 and partition = $3 and epoch = $4
