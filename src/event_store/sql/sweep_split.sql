-- $1 percent of the log's pages to look at, $2 number of pieces, $3 prefix of streams, $4 what follows every such stream.
-- The last stream of each piece but the last.
with sample as (
    select stream_id, ntile($2) over (order by stream_id) as piece
    from log tablesample system ($1) repeatable (7)
    where stream_id > $3 and stream_id < $4
)
select max(stream_id) as bound from sample where piece < $2 group by piece order by 1
