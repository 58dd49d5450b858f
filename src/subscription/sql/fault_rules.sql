-- Every rule of the fault panel, oldest first.
select rule_id, subscription as consumer, kind, pointer, equals, times, millis, made_at, made_by
from fault_rule
order by made_at, rule_id
