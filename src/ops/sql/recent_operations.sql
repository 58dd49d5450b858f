-- $1 only this action, if any, $2 most rows.
select operation_id, at, caller, role, action, reason, args, plan, outcome, node
from operation
where $1::text is null or action = $1
order by at desc, operation_id desc
limit $2
