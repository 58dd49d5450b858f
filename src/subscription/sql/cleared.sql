-- $1 subscription, $2 source, $3 partition, $4 epoch.
update checkpoint set suspect = false, unclean_at = null, unclean_next = null
where subscription = $1 and source = $2 and partition = $3 and epoch = $4
