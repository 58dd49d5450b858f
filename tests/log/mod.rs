//! What the log promises, on a real Postgres.

mod append;
mod protection;
mod relay;
mod statements;
mod tail;
mod topics;
mod wire;
mod writer;
