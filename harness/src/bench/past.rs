//! A log with a past: a database beside the measured one, filled with so many events, and served on demand.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};

use super::process::Process;
use super::service::{Servers, Service, migrate};
use crate::progress::Progress;

/// Keeps its topics and groups apart from the measured service's.
const PREFIX: &str = "past.";
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Longer than any pause between two batches of a follower.
const STILL_FOR: Duration = Duration::from_secs(4);
/// Long enough for every follower to read all of it.
const AT_REST_WITHIN: Duration = Duration::from_secs(1_200);
/// How far the furthest follower of the log is behind, and the sum of all places. The publisher of dead letters has no place
/// there but its lease.
const PLACES: &str = "SELECT max(head.position - place.position) FILTER (WHERE place.source = 'log'), \
         count(*) FILTER (WHERE place.source = 'log'), (sum(place.position) + sum(place.next_offset))::bigint \
     FROM checkpoint AS place JOIN log_head AS head ON head.partition = place.partition \
     WHERE place.subscription <> 'dead_letter_publisher'";

pub struct Past {
    pub servers: Servers,
    pub db: PgPool,
    ordo: PathBuf,
    log_files: PathBuf,
    /// Each has a log of its own.
    started: AtomicUsize,
}

impl Past {
    /// Makes the database and fills it.
    pub async fn make(service: &Service, events: u64, progress: &Progress) -> anyhow::Result<Self> {
        progress.show(&format!("writing a past of {events} events"));
        let launch = &service.launch;
        let servers = beside(&launch.servers).await?;
        migrate(&launch.ordo, &servers).await?;
        let mut fill = servers.command(&launch.ordo);
        let output = fill.args(["demo", "--events", &events.to_string(), "--json"]).output().await?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "`ordo demo --events` failed, mend what it says:\n{said}");
        progress.note(&format!(
            "bench: {}",
            String::from_utf8_lossy(&output.stdout).split_whitespace().collect::<String>()
        ));
        let db = PgPool::connect(&servers.database_url).await.context("could not open the database with the past")?;
        let (ordo, log_files) = (launch.ordo.clone(), launch.log_files.clone());
        Ok(Self { servers, db, ordo, log_files, started: AtomicUsize::new(0) })
    }

    /// A process with these roles, ready.
    pub async fn serve(&self, roles: &str) -> anyhow::Result<Process> {
        let number = self.started.fetch_add(1, Ordering::Relaxed) + 1;
        let mut command = self.servers.command(&self.ordo);
        command.env("ORDO_KAFKA__TOPIC_PREFIX", PREFIX);
        let log_file = format!("{}-past-{number}.log", self.log_files.display());
        let mut process = Process::start("past", roles, command, Path::new(&log_file))?;
        process.ready().await?;
        Ok(process)
    }

    /// Waits until `followers` read the log to its end and nobody moves any more.
    pub async fn at_rest(&self, followers: i64, progress: &Progress) -> anyhow::Result<()> {
        let (began, mut seen, mut since) = (Instant::now(), None, Instant::now());
        loop {
            let (behind, places, sum): (Option<i64>, i64, Option<i64>) =
                sqlx::query_as(PLACES).fetch_one(&self.db).await.context("could not read the followers' places")?;
            if seen != Some(sum) {
                (seen, since) = (Some(sum), Instant::now());
            }
            let partitions: i64 = sqlx::query_scalar("SELECT count(*) FROM log_head").fetch_one(&self.db).await?;
            let have_begun = places >= followers * partitions;
            if have_begun && behind == Some(0) && since.elapsed() >= STILL_FOR {
                return Ok(());
            }
            ensure!(
                began.elapsed() < AT_REST_WITHIN,
                "the past is not read to its end within {AT_REST_WITHIN:?}: see the service's log"
            );
            progress.show(&format!("the past is read: {} events behind in some partition", behind.unwrap_or_default()));
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

/// The same servers, with a database of the past's own.
async fn beside(servers: &Servers) -> anyhow::Result<Servers> {
    let mut owner =
        PgConnection::connect(&servers.admin_database_url).await.context("could not connect as the owner")?;
    let (database_url, name) = renamed(&servers.database_url)?;
    let (admin_database_url, _) = renamed(&servers.admin_database_url)?;
    for statement in [format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"), format!("CREATE DATABASE {name}")] {
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut owner).await.with_context(|| {
            format!(
                "could not make the database {name}: --admin-database-url must name a role that may create databases"
            )
        })?;
    }
    Ok(Servers { database_url, admin_database_url, brokers: servers.brokers.clone() })
}

/// The address of the database `…_past`, and that name.
fn renamed(url: &str) -> anyhow::Result<(String, String)> {
    let (address, options) = url.split_once('?').map_or((url, None), |(address, options)| (address, Some(options)));
    let (server, database) = address.rsplit_once('/').context("the database's address names no database")?;
    let name = format!("{database}_past");
    let plain = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    ensure!(plain, "the bench makes a database {name}, which is no plain name: name another database");
    let options = options.map(|options| format!("?{options}")).unwrap_or_default();
    Ok((format!("{server}/{name}{options}"), name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_past_lives_beside_the_measured_database() -> anyhow::Result<()> {
        let (url, name) = renamed("postgres://ordo:secret@127.0.0.1:5433/ordo?sslmode=disable")?;
        assert_eq!(url, "postgres://ordo:secret@127.0.0.1:5433/ordo_past?sslmode=disable");
        assert_eq!(name, "ordo_past");
        assert!(renamed("postgres://h/o\"x").is_err());
        Ok(())
    }
}
