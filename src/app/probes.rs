//! Asks each adapter how it is. `/readyz` and `ordo doctor` print the same findings.

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use tokio::time::timeout;

use super::nodes;
use super::resources::Resources;
use super::roles::{Role, SUBSCRIPTIONS};
use crate::actors::partition_worker::WORKER;
use crate::config::Config;
use crate::event_store::{self, Partitions};
use crate::kafka;
use crate::ops::{Finding, Probe};
use crate::postgres;
use crate::supervision::{History, Status};
use crate::telemetry::alarm;

/// Longest wait for one answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// The findings of a running process.
pub(super) fn probe(resources: &Resources, roles: &[Role]) -> Probe {
    let (kafka, db, history) = (resources.config.kafka.clone(), resources.db.clone(), resources.history.clone());
    let (roles, pressure): (Arc<[Role]>, _) = (roles.into(), resources.pressure.clone());
    Probe::new(move || {
        let (kafka, db, history, roles) = (kafka.clone(), db.clone(), history.clone(), roles.clone());
        let failing = pressure.failing();
        Box::pin(async move {
            let (mut findings, broker) = tokio::join!(log(&db), broker(&kafka));
            findings.push(broker);
            findings.extend(failing.map(unwritable));
            findings.extend(workers(&history, &roles));
            findings.extend(backing_off(&history));
            findings.extend(alarms());
            findings
        })
    })
}

/// The findings of whoever asks from outside a running process: what it would meet if it were started now.
pub async fn doctor(config: &Config) -> Vec<Finding> {
    let postgres = async {
        match postgres::pool(&config.postgres) {
            Ok(db) => {
                let mut findings = log(&db).await;
                findings.extend(protection(&db).await);
                findings.extend(nodes::findings(config.supervision.silent_after, &db).await);
                findings
            }
            Err(error) => vec![Finding::down("postgres", error.to_string(), "an address", "set DATABASE_URL")],
        }
    };
    let (mut findings, broker) = tokio::join!(postgres, broker(&config.kafka));
    findings.push(broker);
    findings
}

async fn log(db: &PgPool) -> Vec<Finding> {
    const STARTS: &str = "is it running? `make up` starts one; DATABASE_URL names it";
    let answer = timeout(PATIENCE, sqlx::query_scalar::<_, String>("show server_version").fetch_one(db)).await;
    let version = match answer {
        Ok(Ok(version)) => version,
        Ok(Err(error)) => {
            return vec![Finding::down("postgres", error.to_string(), "an answer", STARTS)];
        }
        Err(_) => {
            return vec![Finding::down("postgres", "no answer in 3 s", "an answer", STARTS)];
        }
    };
    let answers = Finding::ok("postgres", format!("version {version}"), "an answer");
    vec![answers, partitions(db).await, oldest(db).await]
}

/// A role that could rewrite history works all the same, so it is told and nothing more. `None` without a log.
async fn protection(db: &PgPool) -> Option<Finding> {
    const WHAT: &str = "log protection";
    const EXPECTED: &str = "a role that can only read and append";
    const NEXT: &str = "let DATABASE_URL name a role that owns nothing and ORDO_ADMIN_DATABASE_URL the owner, then \
        `ordo migrate`; scripts/services/postgres/roles.sql makes both roles";
    let found = match event_store::protection(db).await {
        Ok(protection) => protection?,
        Err(error) => return Some(Finding::degraded(WHAT, error.to_string(), EXPECTED, "ask again")),
    };
    let role = &found.role;
    Some(if found.is_append_only() {
        Finding::ok(WHAT, format!("{role} can only read and append"), EXPECTED)
    } else if found.owns {
        Finding::degraded(WHAT, format!("{role} owns the log, or is a member of who does"), EXPECTED, NEXT)
    } else {
        let next = "run `ordo migrate` as the owner, which takes back what was granted";
        Finding::degraded(WHAT, format!("{role} may change the log"), EXPECTED, next)
    })
}

async fn partitions(db: &PgPool) -> Finding {
    let (loaded, heads) = tokio::join!(Partitions::load(db), event_store::heads(db));
    match (loaded, heads) {
        (Ok(partitions), Ok(heads)) => {
            let events: i64 = heads.iter().map(|(_, head)| head).sum();
            Finding::ok("log", format!("{} partitions, {events} events", partitions.count()), "a migrated log")
        }
        (Err(error), _) => Finding::down("log", error.to_string(), "a migrated log", "run `ordo migrate`"),
        (_, Err(error)) => Finding::down("log", error.to_string(), "a migrated log", "run `ordo migrate`"),
    }
}

/// One old snapshot makes every append slower, wherever it is held.
async fn oldest(db: &PgPool) -> Finding {
    const EXPECTED: &str = "none older than 5 s";
    match postgres::oldest_transaction(db).await.map(|age| age.as_secs_f64()) {
        Ok(seconds) if seconds > 5.0 => Finding::degraded(
            "transactions",
            format!("the oldest is {seconds:.0} s old"),
            EXPECTED,
            "find it in pg_stat_activity by xact_start and end it: it slows every append",
        ),
        Ok(seconds) => Finding::ok("transactions", format!("the oldest is {seconds:.1} s old"), EXPECTED),
        Err(error) => Finding::degraded("transactions", error.to_string(), EXPECTED, "ask again"),
    }
}

/// Postgres may answer and take nothing all the same, as with a full disk.
fn unwritable(why: String) -> Finding {
    let next = "free what is full or mend what Postgres says; orders are refused with 503 until a write goes through";
    Finding::down("log writes", format!("the last one failed: {why}"), "writable", next)
}

/// Without Kafka orders are accepted all the same, so it degrades and does not stop.
async fn broker(config: &kafka::Config) -> Finding {
    const NEXT: &str =
        "orders are accepted meanwhile and published later; `make up` starts one, KAFKA_BROKERS names it";
    match timeout(PATIENCE, kafka::reachable(config)).await {
        Ok(Ok(brokers)) => Finding::ok("kafka", format!("{brokers} broker(s) at {}", config.brokers), "an answer"),
        Ok(Err(error)) => Finding::degraded("kafka", error.to_string(), "an answer", NEXT),
        Err(_) => Finding::degraded("kafka", format!("no answer at {} in 3 s", config.brokers), "an answer", NEXT),
    }
}

/// Each consumer of this process has partitions to work.
fn workers(history: &History, roles: &[Role]) -> Vec<Finding> {
    const NEXT: &str = "it waits for Kafka, which gives away the partitions of a process that was killed when its session \
        has run out (kafka.session_timeout); or other processes have them all";
    let tree = history.tree();
    let finding = |name: &'static str| {
        let below = format!("ordo/{SUBSCRIPTIONS}/{name}/");
        let running = tree
            .nodes()
            .filter(|node| node.kind == WORKER && node.path.as_str().starts_with(&below))
            .filter(|node| node.status == Status::Running)
            .count();
        let what = format!("consumer {name}");
        let observed = format!("{running} partitions assigned");
        if running > 0 {
            Finding::ok(&what, observed, "at least one")
        } else {
            Finding::degraded(&what, observed, "at least one", NEXT)
        }
    };
    let consumers = roles.iter().filter_map(|role| match role {
        Role::Consumer(name) => Some(*name),
        Role::Http | Role::Relay | Role::Views => None,
    });
    consumers.map(finding).collect()
}

/// Actors that wait to be started again.
fn backing_off(history: &History) -> Option<Finding> {
    let tree = history.tree();
    let waiting: Vec<&str> =
        tree.nodes().filter(|node| node.status == Status::BackingOff).map(|node| node.path.as_str()).collect();
    (!waiting.is_empty()).then(|| {
        Finding::degraded(
            "actors",
            format!("waiting to be started again: {}", waiting.join(", ")),
            "all running",
            "GET /ops/v1/supervision says why",
        )
    })
}

fn alarms() -> Vec<Finding> {
    let finding = |alarm: alarm::Alarm| {
        let (what, why) = (format!("alarm {}", alarm.code), format!("{}: {}", alarm.place, alarm.why));
        let next = format!("docs/runbooks/{}.md says what to do", alarm.code);
        if alarm::degrades(alarm.code) {
            Finding::degraded(&what, why, "no alarm", &next)
        } else {
            Finding::down(&what, why, "no alarm", &next)
        }
    };
    alarm::standing().into_iter().map(finding).collect()
}
