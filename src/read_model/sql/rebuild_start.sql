-- $1 name, $2 version, $3 number, $4 workers, $5 events a second, $6 who, $7 why.
with made as (
    insert into read_model (name, version, number, state) values ($1, $2, $3, 'building')
)
insert into rebuild (name, version, number, phase, workers, rate, started_by, started_why)
values ($1, $2, $3, 'prepare', $4, $5, $6, $7)
