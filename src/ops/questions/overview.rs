//! `overview`: does anyone need to act, and what on.

mod needs;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::needs::{Need, Urgency};
use super::consumers::{Summary, summary};
use super::relay::{self, Answer as Published};
use crate::clock;
use crate::ops::owner::Owners;
use crate::ops::read_model::Version;
use crate::ops::{Context, Finding, Question, Unanswered};
use crate::read_model::rebuild::control;
use crate::subscription::letters::{self, Filter, Group, State};
use crate::subscription::overview;
use crate::supervision::alarm::{self, StoredAlarm};
use crate::supervision::node::{self, Seen};
use crate::telemetry::{history, rings};

/// Most alarms and needs of an answer.
const MOST: u32 = 100;
/// Dependencies are asked that often, however many look: one that is away takes seconds to say so.
const PROBED: std::time::Duration = std::time::Duration::from_secs(5);
/// A figure that is older is not one of now.
const NOW: std::time::Duration = std::time::Duration::from_secs(10);

/// Nothing narrows it.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(default, deny_unknown_fields)]
pub struct Args {}

/// An actor that does not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Down {
    pub(super) node: String,
    pub(super) path: String,
    pub(super) has_given_up: bool,
    pub(super) why: String,
    pub(super) since: Option<DateTime<Utc>>,
}

/// What is known of everything, as far as somebody might have to act on it.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    pub(super) findings: Vec<Finding>,
    pub(super) alarms: Vec<StoredAlarm>,
    pub(super) nodes: Vec<Seen>,
    pub(super) consumers: Vec<Summary>,
    pub(super) groups: Vec<Group>,
    pub(super) models: Vec<Version>,
    pub(super) relay: Option<Published>,
    pub(super) down: Vec<Down>,
}

/// What the system does at present; what is not known yet is none.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Rates {
    /// Events appended a second.
    pub appended: Option<f64>,
    /// Events published a second.
    pub published: Option<f64>,
    /// Events of the log that are not published yet.
    pub unpublished: Option<i64>,
    /// Events not applied yet by the consumer that is furthest behind, and its name.
    pub furthest_behind: Option<(String, i64)>,
    /// Dead letters nobody has dealt with.
    pub open_letters: i64,
    /// Events set aside, over all consumers.
    pub parked: i64,
    /// Processes alive.
    pub nodes: usize,
}

/// Whether anyone needs to act.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Answer {
    /// In one sentence.
    pub verdict: String,
    /// How bad the worst of it is; none if there is nothing.
    pub urgency: Option<Urgency>,
    /// What needs somebody, the most urgent first, 100 at most.
    pub needs: Vec<Need>,
    /// What happens at present.
    pub rates: Rates,
}

/// The question itself.
#[derive(Debug)]
pub struct Overview;

impl Question for Overview {
    const NAME: &'static str = "overview";
    const ABOUT: &'static str = "Does anyone need to act, and what on";
    const COLUMNS: &'static [&'static str] = &["/urgency", "/sentence", "/next", "/since"];
    type Args = Args;
    type Answer = Answer;

    async fn ask(_args: Args, context: &Context) -> Result<Answer, Unanswered> {
        let facts = gather(context).await?;
        let mut needs = needs::of(&facts);
        let verdict = needs::verdict(&needs);
        needs.truncate(MOST as usize);
        Ok(Answer { verdict, urgency: needs.first().map(|need| need.urgency), rates: rates(&facts), needs })
    }
}

async fn gather(context: &Context) -> sqlx::Result<Facts> {
    let db = &context.db;
    let owners = Owners::seen(context).await?;
    let open = Filter { state: Some(State::Open), ..Filter::default() };
    let silent_after = context.silent_after;
    let (findings, (alarms, nodes, overviews, groups, models, relay, others)) =
        futures::future::try_join(async { Ok(context.probe.ask_within(PROBED).await) }, async {
            tokio::try_join!(
                alarm::list(false, MOST, silent_after.as_secs_f64(), db),
                node::list(silent_after, db),
                overview::overviews(&context.consumers, db),
                letters::groups(&open, db),
                control::seen(None, db),
                relay::seen(&owners, context),
                node::summaries(context.node.id, db),
            )
        })
        .await?;
    let now = clock::now();
    let is_alive = |id| nodes.iter().any(|seen| seen.node_id == id && seen.life == node::Life::Alive);
    let mut down: Vec<Down> = own(context);
    for other in others.iter().filter(|other| is_alive(other.node_id)) {
        down.extend(other.tree.as_array().into_iter().flatten().filter_map(|actor| told(&other.node, actor)));
    }
    Ok(Facts {
        findings,
        alarms,
        consumers: overviews.iter().map(|seen| summary(seen, &owners, history::trend(&seen.name), now)).collect(),
        nodes,
        groups,
        models: models.iter().map(Version::of).collect(),
        relay: Some(relay),
        down,
    })
}

fn own(context: &Context) -> Vec<Down> {
    let tree = context.history.tree();
    let actors = tree.nodes().filter_map(|actor| serde_json::to_value(actor).ok());
    actors.filter_map(|actor| told(&context.node.name, &actor)).collect()
}

/// An actor as its process told it, if it does not run.
fn told(node: &str, actor: &Value) -> Option<Down> {
    let has_given_up = match actor["status"].as_str()? {
        "backing_off" => false,
        "escalated" => true,
        _ => return None,
    };
    Some(Down {
        node: node.to_owned(),
        path: actor["path"].as_str().unwrap_or_default().to_owned(),
        has_given_up,
        why: actor["lastCrash"]["why"].as_str().unwrap_or("it is not known why").to_owned(),
        since: actor["since"].as_str().and_then(|at| at.parse().ok()),
    })
}

fn rates(facts: &Facts) -> Rates {
    let now = clock::now();
    let behind = |summary: &&Summary| summary.lag.events;
    let furthest = facts.consumers.iter().max_by_key(behind).filter(|summary| summary.lag.events > 0);
    Rates {
        appended: rings::newest("appended", NOW, now),
        published: rings::newest("published", NOW, now),
        unpublished: facts.relay.as_ref().map(|relay| relay.behind),
        furthest_behind: furthest.map(|summary| (summary.consumer.clone(), summary.lag.events)),
        open_letters: facts.consumers.iter().map(|summary| summary.open_letters).sum(),
        parked: facts.consumers.iter().map(|summary| summary.parked.events).sum(),
        nodes: facts.nodes.iter().filter(|seen| seen.life == node::Life::Alive).count(),
    }
}
