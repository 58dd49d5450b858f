-- $1 subscription, $2 by whom, $3 why. No row: it is paused already, and stays as it was.
insert into subscription_control as control (subscription, paused_at, paused_by, paused_why)
values ($1, clock_timestamp(), $2, $3)
on conflict (subscription) do update
set paused_at = excluded.paused_at, paused_by = excluded.paused_by, paused_why = excluded.paused_why
where control.paused_at is null
returning paused_at
