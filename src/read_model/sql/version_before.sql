-- $1 name. The version that was active last and is still written.
select version, number
from read_model
where name = $1 and state = 'attached' and not is_active and left_at is not null
order by left_at desc
limit 1
