-- $1 subscription. What stops with it: parked streams that wait for their next try, and replays on their way.
select (select count(*) from parked_stream where subscription = $1 and due_at is not null) as parked_streams,
    (select count(*) from replay where subscription = $1 and state = 'running') as replays
