//! The table `loyalty.points`: a row a user. Only this file names it.

use std::collections::BTreeMap;

use anyhow::Context;
use ordo::postgres;
use ordo::subscription::Failure;
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection, PgPool};

const ADD: &str = include_str!("sql/add.sql");
const HIGHEST: &str = include_str!("sql/highest.sql");
const EXISTS: &str = include_str!("sql/exists.sql");
const ONE_AT_A_TIME: &str = include_str!("sql/one_at_a_time.sql");
const CREATE_SCHEMA: &str = include_str!("sql/create_schema.sql");
const CREATE_TABLE: &str = include_str!("sql/create_table.sql");
const NAME_SERVICE: &str = include_str!("sql/name_service.sql");
const GRANT: &str = include_str!("sql/grant.sql");

/// What one user earned by a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Earned {
    /// Points.
    pub points: i64,
    /// Orders they are for.
    pub orders: i64,
}

/// What one user has.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Row {
    /// Who.
    pub user_id: String,
    /// Points, ever.
    pub points: i64,
    /// Orders they are for.
    pub orders: i64,
}

/// Adds what was earned, in one statement, within the transaction that moves the consumer's place: once for each event.
///
/// # Errors
/// By its class, which decides whether the batch waits, is tried again or halved.
pub async fn add(earned: &BTreeMap<&str, Earned>, tx: &mut PgConnection) -> Result<(), Failure> {
    let users: Vec<&str> = earned.keys().copied().collect();
    let (points, orders): (Vec<i64>, Vec<i64>) = earned.values().map(|earned| (earned.points, earned.orders)).unzip();
    sqlx::query(ADD).bind(users).bind(points).bind(orders).execute(tx).await?;
    Ok(())
}

/// Those who have most.
///
/// # Errors
/// What Postgres says, and what to do before there is a table.
pub async fn highest(top: i64, service: &postgres::Config) -> anyhow::Result<Vec<Row>> {
    let db = postgres::pool(service)?;
    anyhow::ensure!(exists(&db).await?, "there is no table yet; start `loyalty serve` once");
    Ok(sqlx::query_as(HIGHEST).bind(top).fetch_all(&db).await?)
}

/// Makes the table where it is missing. The service's role may not, so it is the owner's, whom `ORDO_ADMIN_DATABASE_URL`
/// names as for `ordo migrate`; the service's role is granted what it needs and no more. Once the table is there, the owner
/// need not be named again. Where one role does both, it makes the table for itself.
///
/// # Errors
/// What Postgres says, and what to do about a right that is missing.
pub async fn create(service: &postgres::Config) -> anyhow::Result<()> {
    let db = postgres::pool(service)?;
    let owner = std::env::var("ORDO_ADMIN_DATABASE_URL").ok();
    if owner.is_none() && exists(&db).await? {
        return Ok(());
    }
    let role = service.url.parse::<PgConnectOptions>()?.get_username().to_owned();
    let owner = owner.unwrap_or_else(|| service.url.clone());
    create_as(&owner, &role).await.context(
        "the table loyalty.points could not be made; let ORDO_ADMIN_DATABASE_URL name the owner of the database once",
    )
}

async fn create_as(owner: &str, service: &str) -> sqlx::Result<()> {
    let mut db = PgConnection::connect(owner).await?;
    let mut tx = db.begin().await?;
    sqlx::query(ONE_AT_A_TIME).execute(&mut *tx).await?;
    sqlx::query(CREATE_SCHEMA).execute(&mut *tx).await?;
    sqlx::query(CREATE_TABLE).execute(&mut *tx).await?;
    sqlx::query(NAME_SERVICE).bind(service).execute(&mut *tx).await?;
    sqlx::query(GRANT).execute(&mut *tx).await?;
    tx.commit().await?;
    db.close().await
}

async fn exists(db: &PgPool) -> sqlx::Result<bool> {
    sqlx::query_scalar(EXISTS).fetch_one(db).await
}
