-- $1 number of partitions. Writes the head rows of a new log; an existing one keeps its own.
insert into log_head (partition)
select p::smallint from generate_series(0, $1::integer - 1) as p
where not exists (select 1 from log_head)
