-- $1 name, $2 seconds after which a process is taken for ended.
select max(version) from read_model_code where name = $1 and seen_at > clock_timestamp() - make_interval(secs => $2)
