-- $1 subscription. What holds it, locked until the transaction ends.
select subscription, paused_at, paused_by, paused_why, tripped_at, tripped_why
from subscription_control
where subscription = $1
for update
