-- owner: subscription
-- Every event read costs a row of the ledger and one of the guard. Their keys begin with what tells rows apart, and their
-- texts compare as bytes: names of subscriptions and topics are short and few, and a comparison by locale for each step of
-- each index was a third of what an event cost.

drop index processed_event_by_age;
alter table processed_event
    drop constraint processed_event_pkey,
    alter column subscription type text collate "C",
    alter column source type text collate "C",
    add primary key (event_id, subscription);
create index processed_event_by_age on processed_event (source, at) where state = 'applied';

alter table stream_seen
    drop constraint stream_seen_pkey,
    alter column subscription type text collate "C",
    add primary key (stream_id, subscription);

alter table checkpoint
    alter column subscription type text collate "C",
    alter column source type text collate "C";
alter table subscription_count
    alter column subscription type text collate "C",
    alter column source type text collate "C";
alter table subscription_control
    alter column subscription type text collate "C";
alter table parked_stream
    alter column subscription type text collate "C",
    alter column source type text collate "C";
alter table parked_event
    alter column subscription type text collate "C",
    alter column source type text collate "C";
alter table event_attempt
    alter column subscription type text collate "C",
    alter column source type text collate "C";
alter table dead_letter
    alter column subscription type text collate "C",
    alter column source type text collate "C",
    alter column stream_id type text collate "C";
alter table replay
    alter column subscription type text collate "C";
