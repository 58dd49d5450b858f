-- $1 id, $2 caller, $3 action, $4 arguments, $5 plan, both JSON. Plans nobody confirmed within an hour go with it.
with forgotten as (
    delete from operation_plan where made_at < clock_timestamp() - interval '1 hour'
)
insert into operation_plan (plan_id, caller, action, args, plan) values ($1, $2, $3, $4, $5)
