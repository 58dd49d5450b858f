-- $1 id, $2 caller, $3 action, $4 arguments, $5 plan, both JSON.
insert into operation_plan (plan_id, caller, action, args, plan) values ($1, $2, $3, $4, $5)
