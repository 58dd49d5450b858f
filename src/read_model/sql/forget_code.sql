-- $1 process, $2 seconds after which one is taken for ended.
delete from read_model_code where node_id = $1 or seen_at < clock_timestamp() - make_interval(secs => $2 * 4)
