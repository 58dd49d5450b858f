-- $1 name, $2 version. Answers with the version where it was not known yet.
insert into read_model (name, version) values ($1, $2)
on conflict (name, version) do nothing
returning version
