-- owner: postgres
-- What the service's role may do, said at one place and said again by every `ordo migrate`: tables that came with later
-- migrations are included, and the log is written and read, never changed.

create function grant_to_service(service text) returns void
language plpgsql volatile as $$
declare
    relation record;
begin
    execute format('grant usage on schema %I to %I', current_schema(), service);
    -- Versions of read models are made, and dropped, by the service.
    execute format('grant usage, create on schema views to %I', service);
    for relation in
        select c.oid::regclass as name, c.relname, c.relkind, n.nspname
        from pg_class c
        join pg_namespace n on n.oid = c.relnamespace
        where n.nspname in (current_schema(), 'views') and c.relkind in ('r', 'p', 'S')
            and c.relowner = (select oid from pg_roles where rolname = current_user)
            and c.relname <> '_sqlx_migrations'
        order by n.nspname, c.relname
    loop
        -- What an earlier, laxer arrangement gave is taken back.
        execute format('revoke all on %s %s from %I',
            case relation.relkind when 'S' then 'sequence' else 'table' end, relation.name, service);
        if relation.relkind = 'S' then
            execute format('grant usage, select on sequence %s to %I', relation.name, service);
        elsif relation.nspname = 'views' then
            execute format('grant all on table %s to %I', relation.name, service);
        elsif relation.relname = 'log' then
            execute format('grant select, insert on table %s to %I', relation.name, service);
        elsif relation.relname = 'log_head' then
            execute format('grant select, update (position) on table %s to %I', relation.name, service);
        else
            execute format('grant select, insert, update, delete on table %s to %I', relation.name, service);
        end if;
    end loop;
end
$$;
comment on function grant_to_service is 'Run by `ordo migrate` as the owner, after the migrations.';
