-- $1 rows kept, the newest; $2 age in seconds beyond which none is kept; $3 most rows to remove, the oldest first.
delete from supervision_fact
where fact_id = any(array(
    select fact_id
    from (select fact_id, at from supervision_fact order by fact_id limit $3) as oldest
    where at < clock_timestamp() - make_interval(secs => $2)
        or fact_id <= (select fact_id from supervision_fact order by fact_id desc offset $1 limit 1)
))
