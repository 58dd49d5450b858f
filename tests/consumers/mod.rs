//! What consumers survive.

mod again;
mod classes;
mod crashes;
mod failures;
mod fence;
mod folded_once;
mod followed;
mod foreign_records;
mod last_piece;
mod notified_once;
mod once;
mod positions;
mod repeats;
mod replayed;
mod retention;
mod stage;
mod topics_lost;
