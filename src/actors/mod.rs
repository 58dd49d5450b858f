//! All that runs, one file each; the only folder that names ractor. What an actor does once is a function of a machine.

pub mod aggregate;
pub mod commands;
mod config;
pub mod dead_letter_publisher;
pub mod heartbeat;
pub mod housekeeper;
pub mod http;

pub mod mailbox;
pub mod observer;
pub mod parked_worker;
pub mod partition_worker;
mod prices;
pub mod rebuilder;
pub mod relay;
mod route;
pub mod shard;
pub mod subscription;
pub mod supervisor;
pub mod writer;

pub use config::Config;
pub use route::Route;
