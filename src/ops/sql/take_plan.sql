-- $1 id, $2 action, $3 caller. A plan is executed once, by whoever made it.
delete from operation_plan
where plan_id = $1 and action = $2 and caller = $3 and made_at > clock_timestamp() - interval '1 hour'
returning plan
