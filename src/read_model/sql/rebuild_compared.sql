-- $1 name, $2 version, $3 number, $4 the last key of the range or null, $5 rows, $6 how many differed.
update rebuild
set compare_after = $4, rows_compared = rows_compared + $5, rows_different = rows_different + $6
where name = $1 and version = $2 and number = $3
