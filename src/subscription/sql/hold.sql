-- $1 subscription. No row while nothing holds it.
select subscription, paused_at, paused_by, paused_why, tripped_at, tripped_why
from subscription_control
where subscription = $1 and (paused_at is not null or tripped_at is not null)
