//! What consumers survive.

mod crashes;
mod foreign_records;
mod repeats;
mod retention;
mod topics_lost;
