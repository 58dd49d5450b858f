-- $1 the service's role. Its rights on everything the asking role owns here.
select grant_to_service($1)
