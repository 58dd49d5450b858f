-- The two roles and the database, made on a fresh server and harmless on one that has them.
-- Passwords come from the environment, so that the same file serves the private server and the container.
\set ON_ERROR_STOP on
\getenv owner_password ORDO_OWNER_PASSWORD
\getenv service_password ORDO_SERVICE_PASSWORD

select 'create role ordo_owner' where not exists (select from pg_roles where rolname = 'ordo_owner') \gexec
select 'create role ordo' where not exists (select from pg_roles where rolname = 'ordo') \gexec

-- The owner migrates, and makes and drops the databases of tests, sessions included.
alter role ordo_owner login createdb inherit password :'owner_password';
grant pg_signal_backend to ordo_owner;

-- The service owns nothing of the log: `ordo migrate` grants it what it needs, and it can never rewrite what happened. The
-- statistics let `ordo doctor` see how old everybody's transactions are.
alter role ordo login inherit password :'service_password';
grant pg_read_all_stats to ordo;

-- Clusters made before the roles were apart.
select 'revoke ordo_owner from ordo' from pg_auth_members
where roleid = 'ordo_owner'::regrole and member = 'ordo'::regrole limit 1 \gexec

select 'create database ordo owner ordo_owner' where not exists (select from pg_database where datname = 'ordo') \gexec
revoke connect on database ordo from public;
grant connect on database ordo to ordo_owner, ordo;
