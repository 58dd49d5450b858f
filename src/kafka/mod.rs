//! Kafka: the only place that names rdkafka. Topics, the producer of the relay, the feeds of consumers.

mod callbacks;
mod comparison;
mod config;
mod feed;
mod group;
pub mod inspect;
pub mod loss;
mod producer;
mod reader;
mod topics;
mod verify;

pub use comparison::{Difference, Kind, Report};
pub use config::Config;
pub use feed::KafkaFeed;
pub use group::{Group, GroupEvent, TopicPartition};
pub use producer::{Generation, InFlight, PublishError, Publisher, Record};
pub use reader::TopicReader;
pub use topics::{TopicError, Topics, reachable};
pub use verify::{Published, VerifyError, verify};
