-- $1 name. A version that is made and was never active: no other is begun beside it.
select rebuild.version, rebuild.number, rebuild.phase
from rebuild
join read_model using (name, version, number)
where rebuild.name = $1 and rebuild.phase <> 'ended' and not read_model.is_active and read_model.left_at is null
order by rebuild.started_at desc
limit 1
