//! The composition root: the only folder that may see everything.

pub mod demo;
mod follow;
mod migrate;
mod nodes;
mod probes;
mod resources;
mod roles;
mod serve;
mod shutdown;
mod topics;

pub use follow::follow;
pub use migrate::{MigrateError, Migrated, migrate};
pub use probes::doctor;
pub use roles::Role;
pub use serve::{ServeError, serve};
pub use topics::{TopicsError, verify_topics};

pub use crate::kafka::Report as TopicReport;
