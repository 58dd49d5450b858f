//! What operators see: traces, log lines, metrics.

mod collector;
mod lines;
mod metrics;
mod traces;
