-- $1 subscription, $2 source, $3 partition: where it stands, and stays until the transaction ends.
select position from checkpoint where subscription = $1 and source = $2 and partition = $3 for update
