-- $1 source, $2 age in seconds, $3 when to begin looking or null, $4 most rows. Answers how many were forgotten and when
-- the newest of them was entered. Applied rows only: what is dead or open is never forgotten. One process at a time: the
-- others find nothing to do. The time is the statement's: one that moves on within it is no bound of an index, and every
-- entry would be looked at.
with mine as materialized (
    select pg_try_advisory_xact_lock(hashtextextended('ledger/prune', 0)) as held
), expired as (
    select ctid
    from processed_event
    where source = $1 and state = 'applied' and at >= coalesce($3, '-infinity'::timestamptz)
        and at < statement_timestamp() - make_interval(secs => $2)
        and (select held from mine)
    order by at
    limit $4
), forgotten as (
    delete from processed_event where ctid = any(array(select ctid from expired)) and state = 'applied' returning at
)
select count(*), max(at) from forgotten
