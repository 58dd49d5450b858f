-- Open dead letters of each subscription.
select subscription, count(*) from dead_letter where state = 'open' group by subscription
