//! What the log promises, on a real Postgres.

mod append;
mod statements;
