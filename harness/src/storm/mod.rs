//! Breaks everything around ordo and in it while orders come in, mends it, and has the checker judge what is left.
//!
//! A storm is a seed: which faults come in which order, whom they hit and how long they last. The machine's timing is not
//! in the seed, so the same seed makes the same storm and not the same run.
//!
//! A fault is one file and one line in `faults/`; what it all hits, and how that begins and ends, one file and one line in
//! `scenarios/`.

mod cli;
mod course;
mod defects;
mod faults;
mod forms;
mod judge;
mod lag;
mod node;
mod operator;
mod proxy;
mod rebuilt;
mod report;
mod rules;
mod scenarios;
mod schedule;
mod server;
mod setup;
mod stage;
mod table;
mod watch;

pub use cli::main;
