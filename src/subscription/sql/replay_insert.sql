-- $1 id, $2 consumer, $3 who, $4 why, $5 letters a second, $6 how many.
insert into replay (replay_id, subscription, requested_by, why, per_second, total) values ($1, $2, $3, $4, $5, $6)
