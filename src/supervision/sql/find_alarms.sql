-- $1 ids: those nobody has acknowledged, locked.
select alarm_id, code, place from alarm
where alarm_id = any ($1) and acknowledged_at is null
order by alarm_id
for update
