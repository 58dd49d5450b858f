-- $1 most rows
select user_id, points, orders from loyalty.points order by points desc, user_id limit $1
