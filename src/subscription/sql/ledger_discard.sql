-- $1 letters: their events are given up for good.
update processed_event known set state = 'discarded'
from dead_letter letter
where letter.id = any($1::uuid[]) and letter.state = 'open' and known.subscription = letter.subscription
    and known.event_id = letter.event_id and known.state = 'dead'
