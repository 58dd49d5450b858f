-- What holds each subscription that anything has ever held.
select subscription, paused_at, paused_by, paused_why, tripped_at, tripped_why from subscription_control
