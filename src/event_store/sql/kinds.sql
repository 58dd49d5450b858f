-- $1 partitions, $2 of each its head, $3 how many positions of each are looked at. Of each partition how many events of each
-- type and schema there are, and over how many seconds all of them came.
with newest as (
    select l.partition, l.event_type, l.schema_version, l.recorded_at
    from unnest($1::smallint[], $2::bigint[]) as p(partition, head)
    join log l on l.partition = p.partition and l.position <= p.head and l.position > p.head - $3
), spans as (
    select partition, extract(epoch from max(recorded_at) - min(recorded_at))::double precision as seconds
    from newest
    group by partition
)
select n.event_type, n.schema_version, count(*) as events,
    sum(case when s.seconds > 0 then 1 / s.seconds end)::double precision as per_second
from newest n
join spans s on s.partition = n.partition
group by n.event_type, n.schema_version
order by events desc, n.event_type, n.schema_version
