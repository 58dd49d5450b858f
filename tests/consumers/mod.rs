//! What consumers survive.

mod crashes;
mod foreign_records;
mod repeats;
mod topics_lost;
