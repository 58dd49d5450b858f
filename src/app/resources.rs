//! Opens pools, producer and places of actors, once; hands each part of the tree what it needs.

use std::net::SocketAddr;
use std::sync::Arc;

use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;
use uuid::Uuid;

use super::roles::{Role, SUBSCRIPTIONS};
use crate::actors::commands::{Shards, commands};
use crate::actors::mailbox::Permits;
use crate::actors::{
    self, Route, aggregate, dead_letter_publisher, relay, shard, subscription as subscriptions, writer,
};
use crate::clock;
use crate::commands::Commands;
use crate::config::Config;
use crate::consumers::{self, Receiving};
use crate::domain::Aggregate;
use crate::domain::order::Order;
use crate::domain::product::Product;
use crate::event_store::{Bell, Partitions, Pressure};
use crate::kafka::{Publisher, Topics};
use crate::ops::access::{self, Caller};
use crate::ops::{Context, Probe};
use crate::postgres::{self, SetupError};
use crate::projections;
use crate::read_model::rebuild::Ground;
use crate::subscription::fault::Panel;
use crate::subscription::overview::Followed;
use crate::subscription::{Folding, Folds, Listed, OnDeadLetter, Subscription};
use crate::supervision::{ActorPath, History, Node};

/// What this program was built from: its version, and the commit where the build says it.
const BUILD: &str = match option_env!("ORDO_BUILD") {
    Some(build) => build,
    None => env!("CARGO_PKG_VERSION"),
};

/// Everything a process opens.
pub(super) struct Resources {
    pub(super) config: Config,
    pub(super) db: PgPool,
    pub(super) partitions: Partitions,
    pub(super) root: ActorPath,
    pub(super) node: Node,
    pub(super) history: History,
    pub(super) orders: Shards<Order>,
    pub(super) products: Shards<Product>,
    pub(super) commands: Commands,
    known: Vec<Listed>,
    connect: PgConnectOptions,
    owner: Uuid,
    bell: Bell,
    panel: Panel,
    pub(super) pressure: Pressure,
    writers: Vec<Route<writer::Message>>,
    publisher: Arc<Publisher>,
    topics: Topics,
}

impl Resources {
    /// Opens what a process of this configuration needs. Postgres has answered: it knows the partitions.
    pub(super) fn open(
        config: Config,
        db: PgPool,
        partitions: Partitions,
        roles: &[Role],
        consumers: &[Listed],
        address: SocketAddr,
    ) -> Result<Self, SetupError> {
        let owner = clock::new_id();
        let name = node_name(&config.supervision.node_name);
        let roles = roles.iter().map(ToString::to_string).collect();
        let known = known(consumers);
        let letters: Vec<&str> = known.iter().map(|listed| listed.name).collect();
        let bell = Bell::new(partitions.count());
        let (orders, products) =
            (Shards::new(partitions, &config.aggregates), Shards::new(partitions, &config.aggregates));
        let receiving = Arc::new(Receiving { db: db.clone(), partitions, bell: bell.clone() });
        let commands = commands(orders.clone(), products.clone(), receiving, db.clone(), &config.aggregates);
        let writers = (0..config.event_store.writers.clamp(1, partitions.count())).map(|_| Route::default()).collect();
        Ok(Self {
            connect: postgres::connect_options(&config.postgres)?,
            root: ActorPath::root("ordo"),
            history: History::new(name.as_str(), config.supervision.facts_kept)
                .keeping_for(config.supervision.facts_keep),
            node: Node { id: owner, name, roles, build: BUILD.to_owned(), address: address.to_string() },
            publisher: Arc::new(Publisher::new(config.kafka.clone())),
            topics: Topics::new(config.kafka.clone(), partitions, &letters),
            pressure: Pressure::default(),
            known,
            panel: Panel::of(&config.subscription),
            config,
            db,
            partitions,
            orders,
            products,
            commands,
            owner,
            bell,
            writers,
        })
    }

    pub(super) fn writers(&self) -> Vec<writer::Arguments> {
        let writer = |(number, route): (usize, &Route<writer::Message>)| writer::Arguments {
            number,
            route: route.clone(),
            connect: self.connect.clone(),
            config: self.config.event_store.clone(),
            bell: self.bell.clone(),
            pressure: self.pressure.clone(),
        };
        self.writers.iter().enumerate().map(writer).collect()
    }

    pub(super) fn relay(&self, partition: i16) -> relay::Arguments {
        relay::Arguments {
            partition,
            owner: self.owner,
            lease: self.config.subscription.lease,
            in_flight: self.config.kafka.in_flight,
            mirrored: self.config.kafka.mirrored.as_slice().into(),
            publisher: self.publisher.clone(),
            topics: self.topics.clone(),
            db: self.db.clone(),
            bell: self.bell.clone(),
            config: self.config.event_store.clone(),
        }
    }

    pub(super) fn dead_letters(&self) -> dead_letter_publisher::Arguments {
        dead_letter_publisher::Arguments {
            owner: self.owner,
            lease: self.config.subscription.lease,
            publisher: self.publisher.clone(),
            topics: self.topics.clone(),
            db: self.db.clone(),
        }
    }

    pub(super) fn shard<A: Aggregate>(
        &self,
        above: &ActorPath,
        partition: i16,
        shards: &Shards<A>,
    ) -> shard::Arguments<A> {
        let permits = self.config.aggregates.permits;
        // One writer serves several partitions: the same one always serves the same.
        let writers = self
            .partitions
            .all()
            .map(|partition| self.writers[usize::try_from(partition).unwrap_or(0) % self.writers.len()].clone());
        shard::Arguments {
            partition,
            path: above.child(&format!("shard-{partition}")),
            route: shards.route(partition),
            resources: aggregate::Resources {
                db: self.db.clone(),
                writers: writers.collect(),
                event_bytes: self.config.event_store.event_bytes,
                permits: Permits { callers: permits, consumers: permits },
            },
            config: self.config.aggregates.clone(),
            policy: self.config.supervision.policy(),
            history: self.history.clone(),
        }
    }

    pub(super) fn shared(&self) -> subscriptions::Shared {
        subscriptions::Shared {
            owner: self.owner,
            path: self.root.child(SUBSCRIPTIONS),
            event_store: self.config.event_store.clone(),
            kafka: self.config.kafka.clone(),
            topics: self.topics.clone(),
            pressure: self.pressure.clone(),
            supervision: self.config.supervision.clone(),
            history: self.history.clone(),
        }
    }

    pub(super) fn view(&self, name: String, folds: Folds) -> Subscription {
        Subscription {
            lease: Some(self.config.subscription.lease),
            folds,
            folding: Folding::Received,
            ..self.subscription(name)
        }
    }

    pub(super) fn consumer(&self, listed: Listed) -> Subscription {
        Subscription {
            handler: Some(listed.handler),
            on_dead_letter: listed.on_dead_letter,
            folds: listed.folds,
            folding: listed.folding,
            commands: Some(self.commands.clone()),
            ..self.subscription(listed.name.to_owned())
        }
    }

    pub(super) fn housekeeping(&self) -> actors::housekeeper::Arguments {
        actors::housekeeper::Arguments {
            history: self.history.clone(),
            ledger_keep: self.config.subscription.ledger_keep,
            db: self.db.clone(),
        }
    }

    /// A process that writes read models says which of them it can; one that keeps views rebuilds them, too.
    pub(super) fn rebuilding(&self, roles: &[Role]) -> actors::rebuilder::Arguments {
        actors::rebuilder::Arguments {
            node: self.node.name.clone(),
            writes: projections::all(),
            rebuilds: if roles.contains(&Role::Views) { projections::all() } else { Vec::new() },
            ground: Ground {
                db: self.db.clone(),
                partitions: self.partitions,
                owner: self.owner,
                config: self.config.read_model.clone(),
            },
        }
    }

    pub(super) fn heartbeat(&self) -> actors::heartbeat::Arguments {
        actors::heartbeat::Arguments {
            node: self.node.clone(),
            every: self.config.supervision.heartbeat,
            history: self.history.clone(),
            db: self.db.clone(),
        }
    }

    pub(super) fn operators(&self, probe: Probe) -> Context {
        Context {
            history: self.history.clone(),
            node: self.node.clone(),
            silent_after: self.config.supervision.silent_after,
            consumers: self.known.iter().map(followed).collect(),
            handlers: self.known.iter().map(|listed| self.consumer(listed.clone())).collect(),
            models: projections::all().into(),
            has_fault_panel: self.config.subscription.fault_panel,
            probe,
            caller: Caller { name: self.node.name.clone(), role: access::Role::Viewer },
            db: self.db.clone(),
        }
    }

    pub(super) fn observing(&self) -> actors::observer::Arguments {
        actors::observer::Arguments { pool: self.config.postgres.pool, db: self.db.clone() }
    }

    fn subscription(&self, name: String) -> Subscription {
        Subscription {
            name,
            handler: None,
            on_dead_letter: OnDeadLetter::Block,
            folds: Folds::default(),
            folding: Folding::Decided,
            lease: None,
            commands: None,
            config: self.config.subscription.clone(),
            event_bytes: self.config.event_store.event_bytes,
            db: self.db.clone(),
            partitions: self.partitions,
            bell: self.bell.clone(),
            panel: self.panel.clone(),
        }
    }
}

/// Every consumer operators may ask about here: ordo's own, whatever this process runs, and what it runs besides.
fn known(running: &[Listed]) -> Vec<Listed> {
    let mut known = consumers::all();
    let besides = running.iter().filter(|listed| consumers::names().all(|name| name != listed.name));
    known.extend(besides.cloned());
    known
}

/// A consumer as operators know it.
fn followed(listed: &Listed) -> Followed {
    let topics = listed.topics.iter().map(|topic| (*topic).to_owned()).collect();
    Followed { name: listed.name.to_owned(), topics }
}

/// The configured name, else one that nobody else has.
fn node_name(configured: &str) -> String {
    if !configured.is_empty() {
        return configured.to_owned();
    }
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").ok().or_else(|| std::env::var("HOSTNAME").ok());
    let host = host.as_deref().map(str::trim).filter(|host| !host.is_empty()).unwrap_or("node");
    format!("{host}-{}", std::process::id())
}
