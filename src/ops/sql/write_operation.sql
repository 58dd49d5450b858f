-- $1 id, $2 caller, $3 role, $4 action, $5 reason, $6 arguments, $7 plan, $8 outcome, all three JSON, $9 node.
insert into operation (operation_id, caller, role, action, reason, args, plan, outcome, node)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
