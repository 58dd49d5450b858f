//! From facts to what somebody has to do, the most urgent first: pure.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Down, Facts};
use crate::ops::questions::consumers::{State as ConsumerState, Summary};
use crate::ops::questions::relay;
use crate::ops::read_model::{State as ModelState, Version};
use crate::ops::{Finding, Status};
use crate::subscription::letters::Group;
use crate::supervision::alarm::StoredAlarm;
use crate::supervision::node::{Life, Seen};
use crate::telemetry::history::Direction;

/// A lag that grows is worth a word from so many events.
const GROWING: i64 = 1_000;
/// An event that waits so long for the relay, in seconds, is not on its way any more.
const UNPUBLISHED: f64 = 15.0;
/// Silence after which a process that is gone is nobody's concern any more, in seconds.
const FORGOTTEN: f64 = 600.0;

/// How soon somebody should look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Urgency {
    /// Work stands still, or will: now.
    Act,
    /// Something waits for a decision, or is not as it should be: when there is time.
    Look,
}

/// Something that needs somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Need {
    /// What it is about, the same as long as it lasts.
    pub key: String,
    /// How soon.
    pub urgency: Urgency,
    /// What is the matter.
    pub sentence: String,
    /// What to do.
    pub next: String,
    /// The screen that shows it, such as `consumers/inventory`.
    pub screen: String,
    /// Since when.
    pub since: Option<DateTime<Utc>>,
}

/// What needs somebody, the most urgent first; of the same urgency what stops most.
pub(super) fn of(facts: &Facts) -> Vec<Need> {
    let mut needs: Vec<Need> = Vec::new();
    needs.extend(facts.findings.iter().filter_map(finding));
    needs.extend(facts.alarms.iter().map(alarm));
    needs.extend(facts.relay.iter().flat_map(|published| published.partitions.iter().filter_map(unpublished)));
    needs.extend(facts.consumers.iter().filter_map(consumer));
    needs.extend(facts.groups.iter().map(letters));
    needs.extend(facts.models.iter().filter_map(model));
    needs.extend(nodes(&facts.nodes));
    needs.extend(facts.down.iter().map(actor));
    // Stable: of the same urgency the order above holds.
    needs.sort_by_key(|need| need.urgency);
    let mut known = BTreeSet::new();
    needs.retain(|need| known.insert(need.key.clone()));
    needs
}

/// All of it in one sentence.
pub(super) fn verdict(needs: &[Need]) -> String {
    let urgent = needs.iter().filter(|need| need.urgency == Urgency::Act).count();
    match (urgent, needs.len() - urgent) {
        (0, 0) => "Nobody needs to act.".to_owned(),
        (0, 1) => "Nobody needs to act now; one thing is worth a look.".to_owned(),
        (0, look) => format!("Nobody needs to act now; {look} things are worth a look."),
        (1, _) => "One thing needs you.".to_owned(),
        (act, _) => format!("{act} things need you."),
    }
}

/// Alarms and actors are among the findings, too, and are told by themselves.
fn finding(finding: &Finding) -> Option<Need> {
    let urgency = match finding.status {
        Status::Ok => return None,
        Status::Down => Urgency::Act,
        Status::Degraded => Urgency::Look,
    };
    if finding.name.starts_with("alarm") || finding.name == "actors" {
        return None;
    }
    Some(Need {
        key: format!("finding {}", finding.name),
        urgency,
        sentence: format!("{}: {}; expected: {}.", finding.name, finding.observed, finding.expected),
        next: finding.next.clone().unwrap_or_else(|| "look at it with `ordo doctor`".to_owned()),
        screen: "system".to_owned(),
        since: None,
    })
}

fn alarm(alarm: &StoredAlarm) -> Need {
    let StoredAlarm { code, place, why, .. } = alarm;
    let (urgency, how) = match alarm.state.as_str() {
        "standing" => (Urgency::Act, "stands"),
        "over" => (Urgency::Look, "is over, and nobody has taken note of it"),
        _ => (Urgency::Look, "was raised by a process that is gone"),
    };
    Need {
        key: format!("alarm {}", alarm.alarm_id),
        urgency,
        sentence: format!("The alarm {code} at {place} {how}: {why}."),
        next: format!("docs/runbooks/{code}.md tells what to do; then `ordo alarms acknowledge {}`", alarm.alarm_id),
        screen: "system".to_owned(),
        since: Some(alarm.raised_at),
    }
}

fn unpublished(partition: &relay::Partition) -> Option<Need> {
    let waits = partition.oldest_seconds.filter(|seconds| *seconds > UNPUBLISHED)?;
    let who = match (&partition.owner.node, partition.is_led) {
        (Some(node), true) => format!("{node} publishes it"),
        _ => "nobody publishes it".to_owned(),
    };
    Some(Need {
        key: "relay".to_owned(),
        urgency: Urgency::Act,
        sentence: format!(
            "Partition {} of the log is not published: {} events wait, the oldest for {waits:.0} s, and {who}.",
            partition.partition, partition.behind
        ),
        next: "`ordo doctor` tells how Kafka is; `ordo nodes` whether anybody has the role relay".to_owned(),
        screen: "relay".to_owned(),
        since: partition.moved_at,
    })
}

fn consumer(summary: &Summary) -> Option<Need> {
    let Summary { consumer, lag, .. } = summary;
    let why = summary.why.as_deref().unwrap_or("no reason is known");
    let (urgency, sentence, next) = match summary.state {
        ConsumerState::Tripped => (
            Urgency::Act,
            format!("The breaker has stopped {consumer}: {why}. {} events wait.", lag.events),
            format!("mend the cause, then `ordo consumers resume {consumer}`"),
        ),
        ConsumerState::Unowned => (
            Urgency::Act,
            format!("Of {consumer}'s partitions {why}. {} events wait.", lag.events),
            format!("start a process with the role {consumer}; `ordo nodes` shows which there are"),
        ),
        ConsumerState::Paused => (
            Urgency::Look,
            format!("{consumer} is paused by {why}. {} events wait.", lag.events),
            format!("`ordo consumers resume {consumer}` lets it go on"),
        ),
        ConsumerState::Running if lag.trend == Direction::Growing && lag.events >= GROWING => (
            Urgency::Look,
            format!("{consumer} falls behind: {} events wait, and they become more.", lag.events),
            format!(
                "`ordo consumers show {consumer}` tells which partitions; another process with its role shares them"
            ),
        ),
        ConsumerState::Running => return None,
    };
    let screen = format!("consumers/{consumer}");
    Some(Need { key: format!("consumer {consumer}"), urgency, sentence, next, screen, since: summary.since })
}

fn letters(group: &Group) -> Need {
    let Group { consumer, fingerprint, letters, waiting, error, .. } = group;
    let events = group.event_type.as_deref().unwrap_or("records that are no event");
    let (urgency, behind) = match waiting {
        0 => (Urgency::Look, String::new()),
        _ => (Urgency::Act, format!(", and {waiting} events of their streams wait behind them")),
    };
    Need {
        key: format!("letters {consumer} {fingerprint}"),
        urgency,
        sentence: format!("{consumer} gave up on {letters} of {events}: {error}{behind}."),
        next: "try one with the handler as it is now; then replay or discard them".to_owned(),
        screen: format!("dead-letters?consumer={consumer}&fingerprint={fingerprint}"),
        since: Some(group.first_failed_at),
    }
}

fn model(version: &Version) -> Option<Need> {
    let Version { projection, version: number, .. } = version;
    let why = version.why.clone().unwrap_or_else(|| "it does not say why".to_owned());
    let (urgency, sentence) = match version.state {
        ModelState::Failed => (Urgency::Act, format!("The rebuild of {projection} {number} cannot go on.")),
        ModelState::Held => (Urgency::Look, format!("The rebuild of {projection} {number} waits.")),
        ModelState::LeftBehind => (Urgency::Look, format!("Version {number} of {projection} is written no longer.")),
        ModelState::Written if version.rows_different.is_some_and(|rows| rows > 0) => {
            (Urgency::Act, format!("The rebuilt {projection} {number} differs from the one in use."))
        }
        ModelState::Written if version.phase.as_deref() == Some("ready") => {
            (Urgency::Look, format!("The rebuilt {projection} {number} waits to be promoted."))
        }
        ModelState::Active if version.why.is_some() => {
            (Urgency::Look, format!("{projection} is behind the code of this build."))
        }
        _ => return None,
    };
    let key = format!("model {projection} {number}");
    let screen = format!("projections/{projection}");
    Some(Need { key, urgency, sentence, next: why, screen, since: Some(version.created_at) })
}

/// Processes that went without a word and were not started again.
fn nodes(nodes: &[Seen]) -> impl Iterator<Item = Need> {
    let is_back = |gone: &Seen| nodes.iter().any(|node| node.life == Life::Alive && node.name == gone.name);
    let gone = nodes.iter().filter(move |node| node.life == Life::Unknown && !is_back(node));
    gone.filter(|node| node.silent_seconds < FORGOTTEN).map(|node| Need {
        key: format!("node {}", node.node_id),
        urgency: Urgency::Act,
        sentence: format!(
            "Nothing was heard of {} for {:.0} s; what it does is unknown. It ran {}.",
            node.name,
            node.silent_seconds,
            node.roles.join(", ")
        ),
        next: "start it again, or stop it with SIGTERM next time".to_owned(),
        screen: "system".to_owned(),
        since: Some(node.heartbeat_at),
    })
}

fn actor(down: &Down) -> Need {
    let Down { node, path, why, .. } = down;
    let (urgency, how, next) = match down.has_given_up {
        true => (Urgency::Act, "has given up", "the whole process ends or restarts what is above; its log says more"),
        false => (Urgency::Look, "crashed and is started again soon", "`ordo supervision` shows its history"),
    };
    Need {
        key: format!("actor {node} {path}"),
        urgency,
        sentence: format!("The actor {path} of {node} {how}: {why}."),
        next: next.to_owned(),
        screen: format!("actors?path={path}"),
        since: down.since,
    }
}

#[cfg(test)]
mod tests;
