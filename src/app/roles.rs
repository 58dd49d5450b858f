//! Roles: what a process does, and the child specs each role starts, one line each.

use std::fmt;
use std::str::FromStr;

use super::resources::Resources;
use crate::actors::supervisor::{self, ChildSpec};
use crate::actors::{dead_letter_publisher, relay, shard, subscription, writer};
use crate::domain::Aggregate;
use crate::domain::order::Order;
use crate::domain::product::Product;
use crate::subscription::Folds;
use crate::supervision::ActorPath;
use crate::{consumers, projections};

/// What a process does. All of it by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// REST for callers.
    Http,
    /// Publishes the log and the dead letters to Kafka.
    Relay,
    /// Reserves stock.
    Inventory,
    /// Carries inventory's decisions to the orders.
    Orders,
    /// Decides who must be told what.
    Notification,
    /// Keeps the log-fed read models.
    Views,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 6] =
        [Self::Http, Self::Relay, Self::Inventory, Self::Orders, Self::Notification, Self::Views];

    fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Relay => "relay",
            Self::Inventory => "inventory",
            Self::Orders => "orders",
            Self::Notification => "notification",
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
        Self::ALL.into_iter().find(|role| role.as_str() == name).ok_or_else(|| {
            let known: Vec<&str> = Self::ALL.iter().map(|role| role.as_str()).collect();
            format!("there is no role {name:?}; there are {}", known.join(", "))
        })
    }
}

/// The parts of the tree, in the order they are started: what others need comes first, and is stopped last.
pub(super) fn parts(roles: &[Role], resources: &Resources) -> Vec<ChildSpec> {
    let has = |role| roles.contains(&role);
    let has_aggregates = has(Role::Http) || has(Role::Orders);
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
    parts.push(part(resources, SUBSCRIPTIONS, subscriptions(roles, resources)));
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

fn subscriptions(roles: &[Role], resources: &Resources) -> Vec<ChildSpec> {
    let mut specs = Vec::new();
    if roles.contains(&Role::Views) {
        for (name, fold) in projections::log_fed() {
            specs.push(subscription::view(resources.view(name, Folds::only(fold)), &resources.shared()));
        }
    }
    for listed in consumers::all() {
        if roles.iter().any(|role| role.as_str() == listed.name) {
            let topics = listed.topics;
            specs.push(subscription::consumer(resources.consumer(listed), topics, resources.shared()));
        }
    }
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
    fn every_consumer_is_a_role() {
        for name in consumers::NAMES {
            assert!(name.parse::<Role>().is_ok(), "{name}");
        }
    }
}
