-- Streams set aside, by subscription, topic and partition: how many, how many of them wait behind a dead letter, and the
-- events they hold back.
select subscription, source, partition, count(*) as streams, count(letter_id) as behind_letters,
    coalesce(sum(depth), 0)::bigint as events
from parked_stream
group by subscription, source, partition
