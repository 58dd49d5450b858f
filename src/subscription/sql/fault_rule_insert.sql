-- $1 rule, $2 subscription, $3 kind, $4 pointer, $5 equals, $6 times or null, $7 millis or null, $8 by whom.
insert into fault_rule (rule_id, subscription, kind, pointer, equals, times, millis, made_by)
values ($1, $2, $3, $4, $5, $6, $7, $8)
