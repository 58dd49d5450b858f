-- To the role that name_service.sql has named; to the owner itself it changes nothing.
do $$
begin
    execute format('grant usage on schema loyalty to %I', current_setting('loyalty.service'));
    execute format('grant select, insert, update on table loyalty.points to %I', current_setting('loyalty.service'));
end
$$
