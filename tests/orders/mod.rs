//! An order, end to end: REST, log, Kafka, inventory, and back.

mod bad_input;
mod idempotency;
mod journey;
mod two_nodes;
