-- Names of the consumers that have ever claimed a partition of a topic. The relay notes its topics here, too.
select distinct subscription from checkpoint where source <> 'log' and subscription <> 'relay' order by subscription
