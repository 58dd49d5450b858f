-- $1 rows kept, the newest.
delete from supervision_fact
where fact_id <= (select fact_id from supervision_fact order by fact_id desc offset $1 limit 1)
