//! One engine for everything that follows events: consumers and projections, from Kafka or from the log.
//!
//! A subscription is a name, a feed, a handler and a policy. [`pass`] is the only code that moves a checkpoint together
//! with an effect. Owns `checkpoint`, `processed_event`, `stream_seen` and `dead_letter`.

pub mod admit;
mod ask;
mod bisect;
pub mod checkpoint;
mod config;
mod consumer;
pub mod dead_letter;
pub mod dedup;
mod failure;
mod feed;
mod guard;
mod log_feed;
pub mod pass;
mod reader;
mod retry;

pub use admit::{AdmitError, Admitted, Delivered, Entry};
pub use bisect::{Progress, Work};
pub use checkpoint::{Claim, Lane};
pub use config::Config;
pub(crate) use consumer::reads;
pub use consumer::{
    Consumer, Decision, Decisions, Fold, FoldEvent, Folds, Handler, OrderCommand, Reads, Received, Tx, handler,
};
pub use failure::{BoxError, Dependency, Failure};
pub use feed::{Batch, Feed, FeedError, Record};
pub use log_feed::LogFeed;
pub use reader::Subscription;
