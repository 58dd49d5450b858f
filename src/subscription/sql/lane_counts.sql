-- What each consumer has seen of each topic partition since ever, and how far back an operator has sent it.
select c.subscription, c.source, c.partition, c.sought_until,
    coalesce(n.applied, 0) as applied, coalesce(n.skipped, 0) as skipped, coalesce(n.redelivered, 0) as redelivered,
    coalesce(n.republished, 0) as republished, coalesce(n.replayed, 0) as replayed, coalesce(n.parked, 0) as parked,
    coalesce(n.letters, 0) as letters, coalesce(n.retries, 0) as retries
from checkpoint c
left join subscription_count n using (subscription, source, partition)
where c.source <> 'log' and c.subscription <> 'relay'
