//! What is wrong with the processes as a whole: roles nobody runs, names used twice, builds side by side, clocks that
//! are off. Pure but for the look at the table.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use sqlx::PgPool;

use super::roles::Role;
use crate::ops::Finding;
use crate::supervision::node::{self, Life, Seen};

/// A clock that is off by more is worth a word; leases and order do not depend on it.
const CLOCK_OFF_MS: i64 = 2_000;

/// The findings about all processes; none while Postgres does not answer, which has a finding of its own.
pub(super) async fn findings(silent_after: Duration, db: &PgPool) -> Vec<Finding> {
    node::list(silent_after, db).await.map(|nodes| judge(&nodes)).unwrap_or_default()
}

fn judge(nodes: &[Seen]) -> Vec<Finding> {
    let alive: Vec<&Seen> = nodes.iter().filter(|node| node.life == Life::Alive).collect();
    if alive.is_empty() {
        return Vec::new();
    }
    let mut findings = vec![roles(&alive)];
    findings.extend(silent(nodes, &alive));
    findings.extend(names(&alive));
    findings.extend(builds(&alive));
    findings.extend(alive.iter().filter_map(|node| clock(node)));
    findings
}

fn roles(alive: &[&Seen]) -> Finding {
    let run: BTreeSet<&str> = alive.iter().flat_map(|node| &node.roles).map(String::as_str).collect();
    let idle: Vec<String> =
        Role::all().iter().map(ToString::to_string).filter(|role| !run.contains(role.as_str())).collect();
    let observed = format!("{} process(es)", alive.len());
    if idle.is_empty() {
        return Finding::ok("roles", format!("{observed} run every role"), "somebody runs every role");
    }
    let observed = format!("{observed}, and nobody runs {}", idle.join(", "));
    Finding::degraded(
        "roles",
        observed,
        "somebody runs every role",
        "start `ordo serve --roles …` with what is missing",
    )
}

/// Silent ones whose work nobody has taken over by the same name.
fn silent(nodes: &[Seen], alive: &[&Seen]) -> Option<Finding> {
    let gone: Vec<String> = nodes
        .iter()
        .filter(|node| node.life == Life::Unknown && !alive.iter().any(|other| other.name == node.name))
        .filter(|node| node.silent_seconds < 600.0)
        .map(|node| format!("{} unknown since {:.0} s", node.name, node.silent_seconds))
        .collect();
    (!gone.is_empty()).then(|| {
        Finding::degraded("nodes", gone.join("; "), "all heard of", "start it again, or stop it with SIGTERM next time")
    })
}

fn names(alive: &[&Seen]) -> Option<Finding> {
    let mut by_name: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for node in alive {
        by_name.entry(&node.name).or_default().push(&node.address);
    }
    let twice: Vec<String> = by_name
        .into_iter()
        .filter(|(_, addresses)| addresses.len() > 1)
        .map(|(name, addresses)| format!("{name} at {}", addresses.join(" and ")))
        .collect();
    (!twice.is_empty()).then(|| {
        let next = "give each process its own ORDO_SUPERVISION__NODE_NAME; after a kill it is over within seconds";
        Finding::degraded("node names", format!("used twice: {}", twice.join("; ")), "each once", next)
    })
}

fn builds(alive: &[&Seen]) -> Option<Finding> {
    let builds: BTreeSet<&str> = alive.iter().map(|node| node.build.as_str()).collect();
    (builds.len() > 1).then(|| {
        let observed = format!("side by side: {}", builds.into_iter().collect::<Vec<_>>().join(", "));
        Finding::degraded("builds", observed, "one", "finish the upgrade; `ordo nodes` says which process is which")
    })
}

fn clock(node: &Seen) -> Option<Finding> {
    (node.clock_ahead_ms.abs() > CLOCK_OFF_MS).then(|| {
        let seconds = node.clock_ahead_ms / 1_000;
        let observed = format!("{} is {} s {}", node.name, seconds.abs(), if seconds > 0 { "ahead" } else { "behind" });
        let next = "mend its time service: leases do not depend on it, but its facts and events carry wrong times";
        Finding::degraded("clock", observed, "within 2 s of Postgres'", next)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    fn seen(name: &str, roles: &[&str]) -> Seen {
        Seen {
            node_id: clock::new_id(),
            name: name.to_owned(),
            life: Life::Alive,
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            build: "1".to_owned(),
            address: format!("{name}:8081"),
            started_at: clock::now(),
            heartbeat_at: clock::now(),
            silent_seconds: 0.0,
            clock_ahead_ms: 0,
        }
    }

    fn all() -> Vec<String> {
        Role::all().iter().map(ToString::to_string).collect()
    }

    fn said(nodes: &[Seen]) -> String {
        judge(nodes).iter().map(|finding| format!("{}: {}\n", finding.name, finding.observed)).collect()
    }

    #[test]
    fn a_role_that_nobody_alive_runs_is_told() {
        let mut gone = seen("b", &["relay"]);
        (gone.life, gone.silent_seconds) = (Life::Unknown, 42.0);
        let told = said(&[seen("a", &["http", "views"]), gone]);
        assert!(told.contains("nobody runs relay, inventory, orders, notification, analytics"), "{told}");
        assert!(told.contains("b unknown since 42 s"), "{told}");
    }

    #[test]
    fn a_healthy_set_has_nothing_to_tell_but_that() {
        let both = [Seen { roles: all(), ..seen("a", &[]) }, Seen { roles: all(), ..seen("b", &[]) }];
        assert_eq!(said(&both), "roles: 2 process(es) run every role\n");
    }

    #[test]
    fn a_name_used_twice_two_builds_and_a_wrong_clock_are_told() {
        let one = Seen { roles: all(), ..seen("a", &[]) };
        let two = Seen { build: "2".to_owned(), clock_ahead_ms: -3_600_000, ..one.clone() };
        let told = said(&[one, two]);
        assert!(told.contains("used twice: a at a:8081 and a:8081"), "{told}");
        assert!(told.contains("side by side: 1, 2") && told.contains("a is 3600 s behind"), "{told}");
    }
}
