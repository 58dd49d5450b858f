-- $1 subscription, $2 how many events it has applied or given up: its letters up to there trip the breaker no more. Neither
-- a pause nor the breaker holds it any longer. No row: neither did.
update subscription_control
set paused_at = null, paused_by = null, paused_why = null, tripped_at = null, tripped_why = null,
    answered_no = $2
where subscription = $1 and (paused_at is not null or tripped_at is not null)
returning subscription
