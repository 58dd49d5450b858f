create table if not exists loyalty.points (
    user_id text collate "C" primary key,
    points bigint not null check (points >= 0),
    orders bigint not null check (orders > 0)
)
