-- $1 name, $2 version, $3 number; then one element a piece: $4 partition or null, $5 after, $6 up to.
insert into rebuild_piece (name, version, number, piece, partition, after, upto)
select $1, $2, $3, piece, partition, after, upto
from unnest($4::smallint[], $5::text[], $6::text[]) with ordinality as pieces(partition, after, upto, piece)
