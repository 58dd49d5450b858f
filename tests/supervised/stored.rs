//! Supervision facts in Postgres: each once, the newest kept, none lost while Postgres is away.

use std::time::Duration;

use ordo::supervision::{ActorPath, CauseClass, Fact, History, What, recent_stored};

use crate::support::Database;

fn fact(n: usize) -> Fact {
    Fact::now(ActorPath::root("ordo").child("writer"), "writer", What::Stopped, &n.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fact_comes_back_as_it_was_recorded() {
    let database = Database::create().await;
    let history = History::new("here", 100);
    let path = ActorPath::root("ordo").child("relay-3");
    let crashed =
        Fact::now(path.clone(), "relay", What::Crashed, "said \0 and „quit“").cause(CauseClass::DependencyDown);
    history.record(Fact::now(path, "relay", What::Started, ""));
    history.record(crashed.backoff(Duration::from_millis(1_234)).budget_left(4));
    assert_eq!(history.flush(&database.db).await.unwrap(), 2);
    assert_eq!(recent_stored(&database.db, 10).await.unwrap(), history.recent(10));
    assert_eq!(recent_stored(&database.db, 1).await.unwrap(), history.recent(1));
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_fact_and_cause_is_accepted_by_the_table() {
    let database = Database::create().await;
    let history = History::new("here", 100);
    for what in [What::Started, What::Stopped, What::Crashed, What::BackingOff, What::Restarted, What::Escalated] {
        for cause in CauseClass::ALL {
            history.record(Fact::now(ActorPath::root("ordo"), "supervisor", what, "x").cause(cause));
        }
    }
    history.flush(&database.db).await.unwrap();
    assert_eq!(recent_stored(&database.db, 100).await.unwrap(), history.recent(100));
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_newest_facts_are_kept() {
    let database = Database::create().await;
    let history = History::new("here", 10);
    (0..1_200).for_each(|n| history.record(fact(n)));
    assert_eq!(history.flush(&database.db).await.unwrap(), 1_200);
    assert_eq!(recent_stored(&database.db, 100).await.unwrap(), history.recent(10));
    (0..3).for_each(|n| history.record(fact(n)));
    assert_eq!(history.flush(&database.db).await.unwrap(), 3);
    assert_eq!(recent_stored(&database.db, 100).await.unwrap(), history.recent(10));
    assert_eq!(history.flush(&database.db).await.unwrap(), 0);
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_and_table_agree_on_the_order_of_what_was_recorded_at_once() {
    let database = Database::create().await;
    let history = History::new("here", 10_000);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..200).for_each(|n| history.record(fact(n))));
        }
    });
    history.flush(&database.db).await.unwrap();
    assert_eq!(recent_stored(&database.db, 1_000).await.unwrap(), history.recent(1_000));
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_flushes_at_once_store_each_fact_once() {
    let database = Database::create().await;
    let history = History::new("here", 10_000);
    (0..1_500).for_each(|n| history.record(fact(n)));
    let (one, other) = tokio::join!(history.flush(&database.db), history.flush(&database.db));
    assert!(one.unwrap() + other.unwrap() >= 1_500);
    let mut stored = recent_stored(&database.db, 10_000).await.unwrap();
    assert_eq!(stored.len(), 1_500);
    stored.truncate(1_000);
    assert_eq!(stored, history.recent(1_000));
    assert_eq!(history.flush(&database.db).await.unwrap(), 0);
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn facts_wait_while_postgres_refuses_them() {
    let database = Database::create().await;
    let history = History::new("here", 100);
    (0..5).for_each(|n| history.record(fact(n)));
    sqlx::raw_sql("alter table supervision_fact rename to away").execute(&database.db).await.unwrap();
    assert!(history.flush(&database.db).await.is_err());
    sqlx::raw_sql("alter table away rename to supervision_fact").execute(&database.db).await.unwrap();
    assert_eq!(history.flush(&database.db).await.unwrap(), 5);
    assert_eq!(recent_stored(&database.db, 10).await.unwrap(), history.recent(10));
    assert_eq!(history.dropped(), 0);
    database.drop().await;
}

/// A purge works on the oldest few thousand at a time, and is done when nothing is too old and nothing too many.
#[tokio::test(flavor = "multi_thread")]
async fn facts_older_than_kept_are_removed_though_there_are_not_too_many() {
    let database = Database::create().await;
    let history = History::new("here", 100_000).keeping_for(Duration::from_secs(300));
    sqlx::raw_sql(
        "insert into supervision_fact (fact_id, at, node, path, kind, what, why) \
         select lpad(to_hex(n), 32, '0')::uuid, clock_timestamp() - interval '301 s', 'there', 'ordo', 'writer', 'stopped', '' \
         from generate_series(1, 10000) n",
    )
    .execute(&database.db)
    .await
    .unwrap();
    (0..20).for_each(|n| history.record(fact(n)));
    assert_eq!(history.flush(&database.db).await.unwrap(), 20);
    assert_eq!(recent_stored(&database.db, 100).await.unwrap(), history.recent(20));
    assert_eq!(history.purge(&database.db).await.unwrap(), 0);
    database.drop().await;
}
