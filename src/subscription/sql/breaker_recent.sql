-- $1 subscription, $2 most rows. Numbers of its newest letters, newest first, each with the number at the last resume.
select letter.outcome_no, coalesce(control.answered_no, 0)
from dead_letter letter
left join subscription_control control on control.subscription = letter.subscription
where letter.subscription = $1 and letter.outcome_no is not null
order by letter.outcome_no desc
limit $2
