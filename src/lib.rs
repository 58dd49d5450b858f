//! ordo: an order is a supervised actor; what happens to it is an event in a Postgres log; Kafka carries the log.
//!
//! The modules in the order an order travels: it comes in over `http`, goes through the door `commands` to its aggregate
//! in `actors`, which asks `domain` what follows and appends it to the `event_store`. The relay publishes the log by
//! `kafka`; `consumers` react through `subscription`; `projections`, run by `read_model`, answer queries; operators see
//! all of it through `ops`. `app` puts it together.

pub mod http;

pub mod commands;

pub mod actors;

pub mod domain;

pub mod contracts;
pub mod event_store;

pub mod kafka;

pub mod consumers;
pub mod subscription;

pub mod projections;
pub mod read_model;

pub mod ops;
pub mod supervision;

pub mod app;
pub mod cli;

pub mod clock;
pub mod config;
pub mod faults;
pub mod postgres;
pub mod telemetry;
