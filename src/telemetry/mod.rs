//! Telemetry: names of the metrics, and one function a fact, so that metric, log line and fields stay together.

pub mod alarm;
pub mod event_store;
pub mod exporter;
pub mod history;
pub mod http;
pub mod kafka;
pub mod log;
pub mod names;
pub mod postgres;
pub mod read_model;
pub mod relay;
pub mod rings;
pub mod subscription;
pub mod supervision;
pub mod trace;
