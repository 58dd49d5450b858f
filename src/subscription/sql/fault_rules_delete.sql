-- $1 rules.
delete from fault_rule where rule_id = any($1)
