//! A database of a test's own.

use ordo::event_store::Partitions;
use ordo::{event_store, postgres, projections};
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};
use uuid::Uuid;

use super::required;

/// Made for one test; dropped by [`Database::drop`].
pub struct Database {
    pub name: String,
    pub url: String,
    pub db: PgPool,
    pub partitions: Partitions,
}

impl Database {
    /// A migrated database of two partitions.
    pub async fn create() -> Self {
        Self::with_partitions(2).await
    }

    pub async fn with_partitions(partitions: u16) -> Self {
        let admin = required("ORDO_ADMIN_DATABASE_URL");
        let name = format!("ordo_test_{}", Uuid::new_v4().simple());
        let mut connection = PgConnection::connect(&admin).await.expect("the test's Postgres answers");
        sqlx::raw_sql(AssertSqlSafe(format!("create database {name}"))).execute(&mut connection).await.unwrap();
        let url = with_database(&admin, &name);
        let owner = postgres::migrate(&url).await.unwrap();
        let partitions = event_store::create_heads(&owner, Some(partitions), partitions).await.unwrap();
        projections::create_tables(&owner).await.unwrap();
        owner.close().await;
        let config = postgres::Config { url: url.clone(), pool: 10, ..postgres::Config::default() };
        let db = postgres::pool(&config).unwrap();
        Self { name, url, db, partitions }
    }

    /// Another pool, as another process would have it.
    pub fn another_pool(&self) -> PgPool {
        postgres::pool(&postgres::Config { url: self.url.clone(), pool: 10, ..postgres::Config::default() }).unwrap()
    }

    pub async fn drop(self) {
        self.db.close().await;
        let mut connection = PgConnection::connect(&required("ORDO_ADMIN_DATABASE_URL")).await.unwrap();
        let statement = format!("drop database {} with (force)", self.name);
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
    }
}

fn with_database(url: &str, name: &str) -> String {
    let (address, options) = url.split_once('?').map_or((url, None), |(address, options)| (address, Some(options)));
    let (server, _) = address.rsplit_once('/').expect("the address names a database");
    options.map_or_else(|| format!("{server}/{name}"), |options| format!("{server}/{name}?{options}"))
}
