//! Integration tests on real Postgres and Kafka: one binary, so that it is linked once. `make test` starts the servers.

mod analytics;
mod configured;
mod consumers;
mod dashboard;
mod destructive;
mod log;
mod observed;
mod operators;
mod orders;
mod read_models;
mod supervised;
mod support;
