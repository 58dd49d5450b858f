//! What the log promises, on a real Postgres.

mod append;
mod protection;
mod statements;
mod topics;
