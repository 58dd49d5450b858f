-- $1 subscription, $2 source, $3 partition, $4 cluster. Answers with the one noted before.
with before as (
    select cluster from checkpoint where subscription = $1 and source = $2 and partition = $3 for update
)
update checkpoint set cluster = $4
from before
where subscription = $1 and source = $2 and partition = $3
returning before.cluster
