//! What the log promises, on a real Postgres.

mod append;
mod filled;
mod protection;
mod relay;
mod statements;
mod tail;
mod topics;
mod wire;
mod writer;
