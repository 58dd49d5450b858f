-- $1 operation, $2 caller, $3 action, $4 subject. Whether that caller has said why they want to see it, within ten minutes.
select exists (
    select from operation
    where operation_id = $1 and caller = $2 and action = $3 and args::jsonb ->> 'subject' = $4
        and at > clock_timestamp() - interval '10 minutes'
)
