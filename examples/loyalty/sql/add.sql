-- $1 users, in the order of the key, $2 points and $3 orders of each. Rows are locked in that order.
insert into loyalty.points as known (user_id, points, orders)
select earned.user_id, earned.points, earned.orders
from unnest($1::text[], $2::bigint[], $3::bigint[]) with ordinality as earned (user_id, points, orders, place)
order by earned.place
on conflict (user_id) do update set
    points = known.points + excluded.points,
    orders = known.orders + excluded.orders
