-- Age in seconds of the oldest transaction of this database, the asking one left out; 0 if there is none.
select coalesce(extract(epoch from max(now() - xact_start)), 0)::float8
from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid()
