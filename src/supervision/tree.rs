//! The tree of actors as the facts so far leave it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use super::fact::{ActorPath, Fact, What};
use super::restart::CauseClass;

/// Most actors remembered. Beyond it those go first that ended longest ago.
const NODES: usize = 2_000;

/// What an actor does at present.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It runs.
    Running,
    /// It crashed and waits to be started again.
    BackingOff,
    /// It ended.
    Stopped,
    /// As a supervisor it gave up.
    Escalated,
}

/// The last crash of an actor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LastCrash {
    /// When.
    pub at: DateTime<Utc>,
    /// Its class.
    pub cause: Option<CauseClass>,
    /// In words.
    pub why: String,
}

/// One actor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TreeNode {
    /// Where it stands; its supervisor is one level up.
    pub path: ActorPath,
    /// Of which kind.
    pub kind: Cow<'static, str>,
    /// What it does at present.
    pub status: Status,
    /// Since when.
    pub since: DateTime<Utc>,
    /// How often it was started again.
    pub restarts: u64,
    /// Restarts left at its last crash; none before the first.
    pub budget_left: Option<u32>,
    /// Its last crash.
    pub last_crash: Option<LastCrash>,
}

/// All actors of this process.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    nodes: BTreeMap<ActorPath, TreeNode>,
}

impl Tree {
    /// Every actor, each supervisor before what is below it.
    pub fn nodes(&self) -> impl Iterator<Item = &TreeNode> {
        self.nodes.values()
    }

    /// One actor.
    #[must_use]
    pub fn get(&self, path: &ActorPath) -> Option<&TreeNode> {
        self.nodes.get(path)
    }

    /// Takes in what happened.
    pub(super) fn apply(&mut self, fact: &Fact) {
        if self.nodes.len() >= NODES && !self.nodes.contains_key(&fact.path) {
            self.forget_oldest_ended();
        }
        let node = self.nodes.entry(fact.path.clone()).or_insert_with(|| TreeNode {
            path: fact.path.clone(),
            kind: fact.kind.clone(),
            status: Status::Stopped,
            since: fact.at,
            restarts: 0,
            budget_left: None,
            last_crash: None,
        });
        let status = match fact.what {
            What::Started | What::Restarted => Status::Running,
            // A supervisor that gave up crashes for whoever is above; until it runs again, that is the better news.
            What::Stopped | What::Crashed if node.status == Status::Escalated => Status::Escalated,
            What::Stopped | What::Crashed => Status::Stopped,
            What::BackingOff => Status::BackingOff,
            What::Escalated => Status::Escalated,
        };
        if status != node.status || fact.what == What::Restarted {
            node.since = fact.at;
        }
        node.status = status;
        node.restarts += u64::from(fact.what == What::Restarted);
        node.budget_left = fact.budget_left.or(node.budget_left);
        if fact.what == What::Crashed {
            node.last_crash = Some(LastCrash { at: fact.at, cause: fact.cause, why: fact.why.clone() });
        }
    }

    fn forget_oldest_ended(&mut self) {
        let oldest = self
            .nodes
            .values()
            .filter(|node| node.status == Status::Stopped)
            .min_by_key(|node| node.since)
            .map(|node| node.path.clone());
        if let Some(path) = oldest {
            self.nodes.remove(&path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fact(name: &str, what: What) -> Fact {
        Fact::now(ActorPath::root("ordo").child(name), "writer", what, "because")
    }

    fn status(facts: &[What]) -> Status {
        let mut tree = Tree::default();
        for &what in facts {
            tree.apply(&fact("w", what));
        }
        tree.get(&ActorPath::root("ordo").child("w")).expect("it has facts").status
    }

    #[test]
    fn status_follows_the_facts() {
        use What::{BackingOff, Crashed, Escalated, Restarted, Started, Stopped};
        assert_eq!(status(&[Started]), Status::Running);
        assert_eq!(status(&[Started, Crashed, BackingOff]), Status::BackingOff);
        assert_eq!(status(&[Started, Crashed, BackingOff, Restarted]), Status::Running);
        assert_eq!(status(&[Started, Stopped]), Status::Stopped);
        assert_eq!(status(&[Started, Escalated, Crashed]), Status::Escalated);
        assert_eq!(status(&[Started, Escalated, Crashed, Restarted]), Status::Running);
    }

    #[test]
    fn a_node_keeps_its_restarts_its_budget_and_its_last_crash() {
        let mut tree = Tree::default();
        tree.apply(&fact("w", What::Started));
        tree.apply(&fact("w", What::Crashed).cause(CauseClass::Bug).budget_left(4));
        tree.apply(&fact("w", What::Restarted).cause(CauseClass::Bug));
        let node = tree.nodes().next().expect("it has facts");
        assert_eq!((node.restarts, node.budget_left), (1, Some(4)));
        let crash = node.last_crash.as_ref().expect("it crashed");
        assert_eq!((crash.cause, crash.why.as_str()), (Some(CauseClass::Bug), "because"));
    }

    #[test]
    fn the_oldest_that_ended_is_forgotten_and_what_runs_is_not() {
        let mut tree = Tree::default();
        tree.apply(&fact("runs", What::Started));
        for n in 0..NODES + 10 {
            tree.apply(&fact(&format!("ended-{n}"), What::Stopped));
        }
        assert_eq!(tree.nodes().count(), NODES);
        assert!(tree.get(&ActorPath::root("ordo").child("runs")).is_some());
        assert!(tree.get(&ActorPath::root("ordo").child("ended-0")).is_none());
    }
}
