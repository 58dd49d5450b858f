-- Letters of each subscription.
select subscription, count(*) from dead_letter group by subscription order by subscription
