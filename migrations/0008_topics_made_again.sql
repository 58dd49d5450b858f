-- owner: subscription
-- A topic may be lost and made again: offsets begin anew, so an offset alone names no record. The relay notes the cluster
-- it publishes to, and letters are told apart by event, or for what is no event of ours by offset and time.

alter table checkpoint add column cluster text;
comment on column checkpoint.cluster is 'Id of the Kafka cluster the relay last compared with; null for others.';

alter table dead_letter drop constraint dead_letter_once;
create unique index dead_letter_of_event on dead_letter (subscription, event_id) where event_id is not null;
create unique index dead_letter_of_foreign on dead_letter (subscription, source, partition, source_offset, source_time)
    nulls not distinct where event_id is null;
