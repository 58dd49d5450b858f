-- $1 subscription, $2 source; then one element an event that came again: $3 id, $4 offset, $5 whether an operator moved the
-- place back. Answers how many were the very record the ledger knows, and nobody had asked for them.
with again as (
    select event_id, source_offset, is_sought
    from unnest($3::uuid[], $4::bigint[], $5::boolean[]) as again(event_id, source_offset, is_sought)
), noted as (
    update processed_event known
    set duplicates = known.duplicates + again.times, last_cause = again.cause
    from (
        select a.event_id, count(*)::integer as times,
            max(case when a.is_sought then 'replay'
                when k.source = $2 and k.source_offset = a.source_offset then 'redelivery'
                else 'republication' end) as cause
        from again a
        join processed_event k on k.subscription = $1 and k.event_id = a.event_id
        group by a.event_id
    ) again
    where known.subscription = $1 and known.event_id = again.event_id
    returning again.cause
)
select count(*) filter (where cause = 'redelivery') from noted
