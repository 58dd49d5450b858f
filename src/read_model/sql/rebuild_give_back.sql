-- $1 who.
update rebuild set runs_as = null, runs_until = null where runs_as = $1
