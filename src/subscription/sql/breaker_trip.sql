-- $1 subscription, $2 why. Once: the first reason stays.
insert into subscription_control (subscription, tripped_at, tripped_why, answered_no) values ($1, clock_timestamp(), $2, 0)
on conflict (subscription) do update set tripped_at = excluded.tripped_at, tripped_why = excluded.tripped_why
where subscription_control.tripped_at is null
