-- $1 name, $2 version, $3 number of the active one, $4 version, $5 number of the one to come. Answers with whether both are
-- as they should be.
select switch_read_model($1, $2, $3, $4, $5)
