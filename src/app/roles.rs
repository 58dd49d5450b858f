//! Roles: what a process does, and the child specs each role starts, one line each.

use std::fmt;
use std::str::FromStr;

use super::resources::Resources;
use crate::actors::dead_letter_publisher::{self, DEAD_LETTER_PUBLISHER};
use crate::actors::supervisor::{self, ChildSpec};
use crate::actors::{relay, shard, subscription, writer};
use crate::domain::Aggregate;
use crate::domain::order::Order;
use crate::domain::product::Product;
use crate::read_model::Model;
use crate::subscription::checkpoint::RELAY;
use crate::subscription::{Folds, Listed, NameError, check_names};
use crate::supervision::ActorPath;
use crate::{consumers, projections};

/// What a process does. All of it by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// REST for callers.
    Http,
    /// Publishes the log and the dead letters to Kafka.
    Relay,
    /// Runs the consumer of this name.
    Consumer(&'static str),
    /// Keeps the log-fed read models.
    Views,
}

impl Role {
    /// Every role of `ordo serve`.
    #[must_use]
    pub fn all() -> Vec<Self> {
        [Self::Http, Self::Relay]
            .into_iter()
            .chain(consumers::names().map(Self::Consumer))
            .chain([Self::Views])
            .collect()
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Relay => "relay",
            Self::Consumer(name) => name,
            Self::Views => "views",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let all = Self::all();
        all.iter().find(|role| role.as_str() == name).copied().ok_or_else(|| {
            let known: Vec<&str> = all.iter().map(|role| role.as_str()).collect();
            format!("there is no role {name:?}; there are {}", known.join(", "))
        })
    }
}

/// Whether these consumers can run side by side, as subscriptions and as roles: no name stands for two things.
///
/// # Errors
/// [`NameError`].
pub(super) fn distinct(consumers: &[Listed]) -> Result<(), NameError> {
    let views = projections::log_fed();
    let mut taken = vec![Role::Http.as_str(), Role::Views.as_str(), RELAY, DEAD_LETTER_PUBLISHER];
    taken.extend(views.iter().map(Model::name));
    check_names(consumers, &taken)
}

/// The parts of the tree, in the order they are started: what others need comes first, and is stopped last.
pub(super) fn parts(roles: &[Role], consumers: Vec<Listed>, resources: &Resources) -> Vec<ChildSpec> {
    let has = |role| roles.contains(&role);
    let has_aggregates = has(Role::Http) || consumers.iter().any(|listed| listed.commands);
    let mut log = Vec::new();
    if has(Role::Relay) {
        log.extend(resources.partitions.all().map(|partition| relay::spec(resources.relay(partition))));
        log.push(dead_letter_publisher::spec(resources.dead_letters()));
    }
    let mut parts = vec![part(resources, "relay", log)];
    if has_aggregates {
        parts.push(part(resources, "log", resources.writers().into_iter().map(writer::spec).collect()));
        parts.push(part(resources, "aggregates", aggregates(resources)));
    }
    parts.push(part(resources, SUBSCRIPTIONS, subscriptions(roles, consumers, resources)));
    parts
}

/// Where subscriptions stand in the tree.
pub(super) const SUBSCRIPTIONS: &str = "subscriptions";

fn part(resources: &Resources, name: &str, children: Vec<ChildSpec>) -> ChildSpec {
    below(resources, resources.root.child(name), children)
}

fn below(resources: &Resources, path: ActorPath, children: Vec<ChildSpec>) -> ChildSpec {
    let arguments =
        supervisor::Arguments::new(path, children, &resources.config.supervision, resources.history.clone());
    ChildSpec::supervisor(arguments)
}

/// One line an aggregate.
fn aggregates(resources: &Resources) -> Vec<ChildSpec> {
    vec![
        kind(
            resources,
            |path, partition| shard::spec::<Order>(resources.shard(path, partition, &resources.orders)),
            Order::NAME,
        ),
        kind(
            resources,
            |path, partition| shard::spec::<Product>(resources.shard(path, partition, &resources.products)),
            Product::NAME,
        ),
    ]
}

fn kind(resources: &Resources, shard: impl Fn(&ActorPath, i16) -> ChildSpec, name: &str) -> ChildSpec {
    let path = resources.root.child("aggregates").child(name);
    let shards = resources.partitions.all().map(|partition| shard(&path, partition)).collect();
    below(resources, path, shards).independent()
}

fn subscriptions(roles: &[Role], consumers: Vec<Listed>, resources: &Resources) -> Vec<ChildSpec> {
    let mut specs = Vec::new();
    if roles.contains(&Role::Views) {
        for model in projections::log_fed() {
            let name = model.name().to_owned();
            specs.push(subscription::view(resources.view(name, Folds::default().with(model)), &resources.shared()));
        }
    }
    specs.extend(consumers.into_iter().map(|listed| {
        let topics = listed.topics;
        subscription::consumer(resources.consumer(listed), topics, resources.shared())
    }));
    specs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_role_is_told_which_there_are() {
        assert_eq!("relay".parse(), Ok(Role::Relay));
        assert!("relais".parse::<Role>().unwrap_err().contains("inventory"));
    }

    #[test]
    fn every_consumer_is_a_role_and_has_a_name_of_its_own() {
        assert_eq!(distinct(&consumers::all()), Ok(()));
        for name in consumers::names() {
            assert_eq!(name.parse(), Ok(Role::Consumer(name)));
        }
    }

    #[test]
    fn every_role_is_another_word() {
        let all = Role::all();
        let mut words: Vec<&str> = all.iter().map(|role| role.as_str()).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), all.len());
    }
}
