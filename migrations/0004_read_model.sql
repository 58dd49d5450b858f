-- owner: read_model
-- Which versions of which read models have a table in the schema `views`. The tables themselves are made from the
-- templates beside the projections, a version at a time.

create schema if not exists views;

create table read_model (
    name text not null,
    version smallint not null,
    created_at timestamptz not null default clock_timestamp(),
    primary key (name, version)
);
