-- $1 subscription.
select coalesce(sum(applied + letters), 0)::bigint from subscription_count where subscription = $1
