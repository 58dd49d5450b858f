use ordo::event_store::{self, Append, NewEvent, Outcome, append};
use ordo::ops::{Finding, Status};
use sqlx::{AssertSqlSafe, PgPool};
use uuid::Uuid;

use crate::support::{Database, TestApp};

/// `42501`: insufficient privilege.
async fn is_refused(db: &PgPool, statement: &'static str) -> bool {
    let outcome = sqlx::raw_sql(statement).execute(db).await;
    outcome.is_err_and(|error| error.as_database_error().is_some_and(|error| error.code().as_deref() == Some("42501")))
}

/// `None`, and said, where the environment names one role only.
async fn two_roles() -> Option<Database> {
    let database = Database::create().await;
    if database.has_two_roles() {
        return Some(database);
    }
    eprintln!("not run: DATABASE_URL names no role of the service's own");
    database.drop().await;
    None
}

#[tokio::test(flavor = "multi_thread")]
async fn the_services_role_appends_and_cannot_change_what_happened() {
    let Some(database) = two_roles().await else { return };
    let service = database.service_pool();
    let event = NewEvent { event_type: "order.created", schema_version: 1, payload: "{}".to_owned() };
    let append = Append {
        append_id: Uuid::new_v4(),
        stream_id: "order:a".to_owned(),
        partition: database.partitions.of("a"),
        partition_key: "a".to_owned(),
        expected_version: 0,
        events: vec![event],
        meta: "{}".to_owned(),
    };
    // The second time it meets itself: both ways of an append are the service's.
    for _ in 0..2 {
        let outcomes =
            append::batch(&mut service.acquire().await.unwrap(), std::slice::from_ref(&append)).await.unwrap();
        assert!(matches!(outcomes[..], [Outcome::Accepted(_)]), "{outcomes:?}");
    }
    for statement in [
        "update log set payload = '{\"forged\":true}'",
        "delete from log",
        "truncate log",
        "update log_head set partition = partition + 1",
        "insert into log_head (partition) values (9)",
        "delete from log_head",
        "truncate log_head",
        "alter table log disable trigger all",
        "drop table log",
        "delete from _sqlx_migrations",
    ] {
        assert!(is_refused(&service, statement).await, "the service's role may {statement}");
    }
    let stored = event_store::stream(&service, "order:a", 0, 10).await.unwrap();
    assert_eq!((stored.len(), stored[0].payload.as_str()), (1, "{}"));
    let protection = event_store::protection(&service).await.unwrap().unwrap();
    assert!(protection.is_append_only(), "{protection:?}");
    service.close().await;
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rights_that_have_drifted_are_found_and_mended_by_migrating_again() {
    let Some(database) = two_roles().await else { return };
    let service = database.service_pool();
    let protection = event_store::protection(&service).await.unwrap().unwrap();
    for grant in ["grant update (payload) on log to public", "grant delete on log_head to public"] {
        sqlx::raw_sql(grant).execute(&database.db).await.unwrap();
        let found = event_store::protection(&service).await.unwrap().unwrap();
        assert!(found.may_change && !found.owns, "{grant}: {found:?}");
        sqlx::raw_sql("revoke all on log, log_head from public").execute(&database.db).await.unwrap();
    }
    let grant = AssertSqlSafe(format!("grant all on log, log_head to {}", protection.role));
    sqlx::raw_sql(grant).execute(&database.db).await.unwrap();
    assert!(event_store::protection(&service).await.unwrap().unwrap().may_change);
    ordo::postgres::grant_to_service(&database.db, &database.service_config()).await.unwrap();
    assert_eq!(event_store::protection(&service).await.unwrap().unwrap(), protection);
    service.close().await;
    database.drop().await;
}

/// New versions of read models are made by the running service, so their schema is its own to fill.
#[tokio::test(flavor = "multi_thread")]
async fn the_services_role_makes_and_drops_tables_of_read_models_and_no_others() {
    let Some(database) = two_roles().await else { return };
    let service = database.service_pool();
    sqlx::raw_sql("create table views.stock_v9 (id text primary key); drop table views.stock_v9, views.stock_v1")
        .execute(&service)
        .await
        .unwrap();
    service.close().await;
    database.drop().await;
}

/// What `ordo doctor` finds of the log's protection.
async fn protection(app: &TestApp) -> Finding {
    let config = ordo::config::Config { postgres: app.database.service_config(), ..Default::default() };
    let findings = ordo::app::doctor(&config).await;
    findings.into_iter().find(|finding| finding.name == "log protection").expect("a finding about it")
}

#[tokio::test(flavor = "multi_thread")]
async fn with_one_role_everything_works_and_doctor_tells_that_the_log_is_not_protected() {
    let app = TestApp::start_on(Database::of_one_role().await, &[]).await;
    app.stock("mug", 100, 10).await;
    let id = app.place("mug", 1).await;
    app.until(id, "confirmed").await;
    let told = protection(&app).await;
    assert_eq!(told.status, Status::Degraded, "{told:?}");
    assert!(told.next.as_ref().unwrap().contains("ORDO_ADMIN_DATABASE_URL"), "{told:?}");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_two_roles_doctor_says_that_the_log_is_protected() {
    let Some(database) = two_roles().await else { return };
    let app = TestApp::start_on(database, &[]).await;
    app.stock("mug", 100, 10).await;
    let id = app.place("mug", 1).await;
    app.until(id, "confirmed").await;
    assert_eq!(protection(&app).await.status, Status::Ok);
    app.finish().await;
}
