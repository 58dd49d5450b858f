-- $1 rules, none for all.
select rule_id from fault_rule where $1::uuid[] = '{}' or rule_id = any($1) order by rule_id for update
