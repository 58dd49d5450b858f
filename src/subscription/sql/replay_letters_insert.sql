-- $1 replay, $2 letters in order.
insert into replay_letter (replay_id, ordinal, letter_id)
select $1, ordinal::integer, letter_id from unnest($2::uuid[]) with ordinality as asked(letter_id, ordinal)
