//! One engine for everything that follows events: consumers and projections, from Kafka or from the log.
//!
//! A subscription is a name, a feed, a handler and a policy. [`pass`] is the only code that moves a checkpoint together
//! with an effect. What it cannot apply it keeps as [`dead_letter`]s, which operators look up ([`letters`]), send back
//! ([`replay`]) or give up ([`release`]). Owns the tables of places, of events known, tried, parked and given up, and of
//! what operators have asked of a subscription.

pub mod admit;
pub mod again;
mod aside;
mod ask;
pub mod attempts;
mod bisect;
pub mod breaker;
pub mod checkpoint;
mod config;
mod consumer;
pub mod control;
pub mod counts;
pub mod dead_letter;
pub mod dedup;
mod effects;
mod failure;
pub mod fault;
mod feed;
mod guard;
pub mod hold;
mod judge;
pub mod lag;
pub mod letters;
mod listed;
mod log_feed;
pub mod lone;
pub mod models;
mod objection;
pub mod overview;
mod panics;
pub mod parking;
pub mod pass;
pub mod patch;
mod reader;
pub mod release;
pub mod replay;
pub mod retry;
pub mod selection;
pub mod standing;

pub use admit::{AdmitError, Admitted, Delivered, Entry, Place};
pub use bisect::{Progress, Work, Worker};
pub use checkpoint::{Claim, Lane};
pub use config::{Config, Pauses};
pub use consumer::{
    Consumer, Decision, Decisions, Fold, FoldEvent, Folding, Folds, Handler, OnDeadLetter, OrderCommand, Reads,
    Received, Tx, Unreadable, handler, read_payload, reads,
};
pub use failure::{Blamed, BoxError, Cause, Dependency, Failure};
pub use feed::{Batch, Feed, FeedError, Record};
pub use listed::{Listed, NameError, check_names, listed};
pub use log_feed::LogFeed;
pub use objection::Objection;
pub use reader::Subscription;
