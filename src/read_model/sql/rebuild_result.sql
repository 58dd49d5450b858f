-- $1 name, $2 version, $3 number. Rows compared, and rows that differed.
select rows_compared, rows_different from rebuild where name = $1 and version = $2 and number = $3
