-- Nothing is bound.
delete from operation_plan where made_at < clock_timestamp() - interval '1 hour'
