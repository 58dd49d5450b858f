-- $1 subscription, $2 source, $3 partition, then what to add: $4 applied, $5 skipped, $6 redelivered, $7 republished,
-- $8 replayed, $9 parked, $10 letters, $11 retries.
insert into subscription_count as known (subscription, source, partition, applied, skipped, redelivered, republished,
    replayed, parked, letters, retries)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
on conflict (subscription, source, partition) do update
set applied = known.applied + excluded.applied, skipped = known.skipped + excluded.skipped,
    redelivered = known.redelivered + excluded.redelivered, republished = known.republished + excluded.republished,
    replayed = known.replayed + excluded.replayed, parked = known.parked + excluded.parked,
    letters = known.letters + excluded.letters, retries = known.retries + excluded.retries
