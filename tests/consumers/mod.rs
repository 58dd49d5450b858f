//! What consumers survive.

mod crashes;
mod foreign_records;
mod repeats;
