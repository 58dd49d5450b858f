-- Asks the catalogue, which answers whoever has no right to look into the schema, too.
select exists (select from pg_tables where schemaname = 'loyalty' and tablename = 'points')
