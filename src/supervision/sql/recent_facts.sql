-- $1 rows at most. The newest facts of all processes, newest first.
select fact_id, at, node, path, kind, what, why, cause, backoff_ms, budget_left
from supervision_fact
order by fact_id desc
limit $1
