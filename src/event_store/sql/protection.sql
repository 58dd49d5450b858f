-- Who asks, whether the log is theirs, and whether they could change or remove what it holds. No row: there is no log yet.
select current_user::text as role,
    pg_has_role(rows.relowner, 'member') or pg_has_role(heads.relowner, 'member') as owns,
    has_table_privilege(rows.oid, 'update, delete, truncate, trigger') or has_any_column_privilege(rows.oid, 'update')
        or has_table_privilege(heads.oid, 'insert, delete, truncate, trigger')
        or has_column_privilege(heads.oid, 'partition', 'update') as may_change
from pg_class rows, pg_class heads
where rows.oid = to_regclass('log') and heads.oid = to_regclass('log_head')
