//! An order, end to end: REST, log, Kafka, inventory, and back.

mod bad_input;
mod idempotency;
mod journey;
mod lists;
mod past;
mod two_nodes;
