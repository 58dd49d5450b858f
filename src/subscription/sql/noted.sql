-- $1 subscription, $2 partition: offset after the last acknowledged record of each topic, and that record's position.
select source, next_offset, position from checkpoint where subscription = $1 and partition = $2 and source <> 'log'
