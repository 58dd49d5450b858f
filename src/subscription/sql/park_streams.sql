-- $1 subscription.
select count(*) from parked_stream where subscription = $1
