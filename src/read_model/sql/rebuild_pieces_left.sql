-- $1 name, $2 version, $3 number, $4 most pieces.
select piece, partition, after, upto
from rebuild_piece
where name = $1 and version = $2 and number = $3 and done_at is null
order by piece
limit $4
