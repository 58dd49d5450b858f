-- One element a letter that the broker has acknowledged: $1 id, $2 its replays when it was read.
update dead_letter set published = true
from unnest($1::uuid[], $2::integer[]) as sent(letter_id, seen)
where id = sent.letter_id and replays = sent.seen
