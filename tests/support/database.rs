//! A database of a test's own.

use ordo::event_store::Partitions;
use ordo::{app, postgres};
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};
use uuid::Uuid;

use super::required;

/// Made for one test; dropped by [`Database::drop`].
pub struct Database {
    pub name: String,
    /// With the service's role: what a process under test connects with.
    pub url: String,
    /// With the owner's role, for what a test itself looks at or breaks.
    pub db: PgPool,
    pub partitions: Partitions,
    /// With the owner's role: what `ordo migrate` connects with.
    pub owner_url: String,
}

impl Database {
    /// A migrated database of two partitions.
    pub async fn create() -> Self {
        Self::with_partitions(2).await
    }

    pub async fn with_partitions(partitions: u16) -> Self {
        let service = std::env::var("DATABASE_URL").unwrap_or_else(|_| required("ORDO_ADMIN_DATABASE_URL"));
        Self::for_service(&service, partitions).await
    }

    /// A database in which the service has the rights of its owner, as where only one role is configured.
    pub async fn of_one_role() -> Self {
        Self::for_service(&required("ORDO_ADMIN_DATABASE_URL"), 2).await
    }

    async fn for_service(service: &str, partitions: u16) -> Self {
        let admin = required("ORDO_ADMIN_DATABASE_URL");
        let name = format!("ordo_test_{}", Uuid::new_v4().simple());
        let mut connection = PgConnection::connect(&admin).await.expect("the test's Postgres answers");
        sqlx::raw_sql(AssertSqlSafe(format!("create database {name}"))).execute(&mut connection).await.unwrap();
        let (url, owner_url) = (with_database(service, &name), with_database(&admin, &name));
        let migrated = app::migrate(&config(&url), &owner_url, Some(partitions)).await.unwrap();
        let db = postgres::pool(&config(&owner_url)).unwrap();
        Self { name, url, db, partitions: migrated.partitions, owner_url }
    }

    /// Another pool of the owner, as another process would have it.
    pub fn another_pool(&self) -> PgPool {
        postgres::pool(&config(&self.owner_url)).unwrap()
    }

    /// A pool with the service's role.
    pub fn service_pool(&self) -> PgPool {
        postgres::pool(&self.service_config()).unwrap()
    }

    /// What a service of this database is configured with.
    pub fn service_config(&self) -> postgres::Config {
        config(&self.url)
    }

    /// Whether the service's role is another than the owner's, as on the servers `make test` starts.
    pub fn has_two_roles(&self) -> bool {
        self.url != self.owner_url
    }

    pub async fn drop(self) {
        self.db.close().await;
        let mut connection = PgConnection::connect(&required("ORDO_ADMIN_DATABASE_URL")).await.unwrap();
        let statement = format!("drop database {} with (force)", self.name);
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
    }
}

fn config(url: &str) -> postgres::Config {
    postgres::Config { url: url.to_owned(), pool: 10, ..postgres::Config::default() }
}

fn with_database(url: &str, name: &str) -> String {
    let (address, options) = url.split_once('?').map_or((url, None), |(address, options)| (address, Some(options)));
    let (server, _) = address.rsplit_once('/').expect("the address names a database");
    options.map_or_else(|| format!("{server}/{name}"), |options| format!("{server}/{name}?{options}"))
}
