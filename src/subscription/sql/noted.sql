-- $1 subscription, $2 partition: offset after the last acknowledged record of each topic.
select source, next_offset from checkpoint where subscription = $1 and partition = $2 and source <> 'log'
