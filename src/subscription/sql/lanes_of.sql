-- $1 subscription. The topic partitions it has ever claimed.
select source, partition from checkpoint where subscription = $1 and source <> 'log' order by source, partition
