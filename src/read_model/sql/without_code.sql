-- $1 name, $2 version, $3 seconds after which a process is taken for ended.
select node
from read_model_code
where seen_at > clock_timestamp() - make_interval(secs => $3)
group by node_id, node
having bool_or(name = $1) and not bool_or(name = $1 and version = $2)
order by node
