-- $1 names of the read models this transaction writes.
select name, version, number, is_active from share_read_models($1)
