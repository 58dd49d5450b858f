//! `supervision`: the tree of actors, what happened to them, and how much each kind has to do.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ops::{Context, Question, Unanswered};
use crate::supervision::workload::{self, KindSnapshot};
use crate::supervision::{Fact, TreeNode, node, recent_stored};

/// Most facts an answer holds.
const MOST: u32 = 1_000;

/// Narrows the answer.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(default, deny_unknown_fields)]
pub struct Args {
    /// How many facts, the newest first: 1 to 1,000.
    #[arg(long, default_value_t = Args::default().limit)]
    #[schemars(range(min = 1, max = 1_000))]
    pub limit: u32,
    /// Only actors at or below this path, such as `ordo/log`.
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

impl Default for Args {
    fn default() -> Self {
        Self { limit: 50, path: None }
    }
}

/// Where the history of an answer comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// This process alone: Postgres did not answer.
    Memory,
    /// Every process, from Postgres, and what this one has not written yet.
    Postgres,
}

/// Another process.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Other {
    /// Its name.
    pub node: String,
    /// Whether it lives; what is below is unknown since `at` otherwise.
    pub life: node::Life,
    /// When it wrote this.
    pub at: DateTime<Utc>,
    /// Its actors.
    pub tree: Vec<Value>,
    /// What each kind has to do.
    pub workload: Value,
}

/// The tree of this process and the history of all.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TreeAndHistory {
    /// This process.
    pub node: String,
    /// Every actor of this process, each supervisor before what is below it.
    pub tree: Vec<TreeNode>,
    /// What each kind of actor has to do, and has done.
    pub workload: Vec<KindSnapshot>,
    /// The actors of every other process, as each wrote them a few seconds ago.
    pub others: Vec<Other>,
    /// Where the history and the others come from.
    pub source: Source,
    /// Facts that never reached Postgres, because it was away for too long.
    pub dropped: u64,
    /// What happened, newest first.
    pub history: Vec<Fact>,
}

/// The question itself.
#[derive(Debug)]
pub struct SupervisionTree;

impl Question for SupervisionTree {
    const NAME: &'static str = "supervision";
    const ABOUT: &'static str = "The tree of actors, what happened to them, and how much each kind has to do";
    type Args = Args;
    type Answer = TreeAndHistory;

    async fn ask(args: Args, context: &Context) -> Result<TreeAndHistory, Unanswered> {
        let limit = args.limit.clamp(1, MOST);
        let is_wanted = |path: &str| args.path.as_deref().is_none_or(|top| is_below(path, top));
        let asked = if args.path.is_some() { MOST } else { limit };
        let own = context.history.recent(asked as usize);
        // The tree must be seen while Postgres is down, most of all then.
        let (source, stored) = match recent_stored(&context.db, asked).await {
            Ok(stored) => (Source::Postgres, stored),
            Err(_) => (Source::Memory, Vec::new()),
        };
        let others = match source {
            Source::Postgres => others(context, is_wanted).await.unwrap_or_default(),
            Source::Memory => Vec::new(),
        };
        let mut history = merged(own, stored);
        history.retain(|fact| is_wanted(fact.path.as_str()));
        history.truncate(limit as usize);
        Ok(TreeAndHistory {
            node: context.node.name.clone(),
            others,
            tree: context.history.tree().nodes().filter(|node| is_wanted(node.path.as_str())).cloned().collect(),
            workload: workload::kinds(),
            source,
            dropped: context.history.dropped(),
            history,
        })
    }
}

async fn others(context: &Context, is_wanted: impl Fn(&str) -> bool) -> sqlx::Result<Vec<Other>> {
    let (summaries, seen) =
        tokio::try_join!(node::summaries(context.node.id, &context.db), node::list(context.silent_after, &context.db))?;
    let life = |id| seen.iter().find(|node| node.node_id == id).map_or(node::Life::Unknown, |node| node.life);
    let wanted = |actor: &Value| actor["path"].as_str().is_some_and(&is_wanted);
    let other = |summary: node::Summary| Other {
        life: life(summary.node_id),
        node: summary.node,
        at: summary.at,
        tree: summary.tree.as_array().into_iter().flatten().filter(|actor| wanted(actor)).cloned().collect(),
        workload: summary.workload,
    };
    Ok(summaries.into_iter().map(other).collect())
}

/// Each fact once, newest first.
fn merged(own: Vec<Fact>, stored: Vec<Fact>) -> Vec<Fact> {
    let mut facts = own;
    facts.extend(stored);
    facts.sort_by(|left, right| right.at.cmp(&left.at).then(right.id.cmp(&left.id)));
    facts.dedup_by_key(|fact| fact.id);
    facts
}

fn is_below(path: &str, top: &str) -> bool {
    let top = top.trim_end_matches('/');
    path.strip_prefix(top).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::supervision::{ActorPath, What};

    fn fact(name: &str) -> Fact {
        Fact::now(ActorPath::root("ordo").child(name), "writer", What::Started, "")
    }

    #[test]
    fn a_fact_in_memory_and_in_postgres_is_told_once_newest_first() {
        let mut facts: Vec<Fact> = ["a", "b", "c"].map(fact).into();
        facts.sort_by(|left, right| right.at.cmp(&left.at).then(right.id.cmp(&left.id)));
        let [newest, middle, oldest] = <[Fact; 3]>::try_from(facts).expect("three");
        let history = merged(vec![newest.clone(), middle.clone()], vec![middle.clone(), oldest.clone()]);
        assert_eq!(history, [newest, middle, oldest]);
    }

    #[test]
    fn a_path_holds_itself_and_what_is_below() {
        assert!(is_below("ordo/log", "ordo/log") && is_below("ordo/log/writer-0", "ordo/log/"));
        assert!(!is_below("ordo/logs", "ordo/log") && !is_below("ordo", "ordo/log"));
    }
}
