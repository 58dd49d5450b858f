//! One engine for everything that follows events: consumers and projections, from Kafka or from the log.
//!
//! A subscription is a name, a feed, a handler and a policy. [`pass`] is the only code that moves a checkpoint together
//! with an effect. Owns the tables of places, of events known, tried, parked and given up, and of what
//! operators have asked of a subscription.

pub mod admit;
mod ask;
pub mod attempts;
mod bisect;
pub mod breaker;
pub mod checkpoint;
mod config;
mod consumer;
pub mod counts;
pub mod dead_letter;
pub mod dedup;
mod effects;
mod failure;
mod feed;
mod guard;
pub mod hold;
mod judge;
mod log_feed;
pub mod lone;
mod panics;
pub mod parking;
pub mod pass;
mod reader;
pub mod retry;

pub use admit::{AdmitError, Admitted, Delivered, Entry, Place};
pub use bisect::{Progress, Work, Worker};
pub use checkpoint::{Claim, Lane};
pub use config::{Config, Pauses};
pub(crate) use consumer::reads;
pub use consumer::{
    Consumer, Decision, Decisions, Fold, FoldEvent, Folds, Handler, OnDeadLetter, OrderCommand, Reads, Received, Tx,
    handler,
};
pub use failure::{Blamed, BoxError, Cause, Dependency, Failure};
pub use feed::{Batch, Feed, FeedError, Record};
pub use log_feed::LogFeed;
pub use reader::Subscription;
