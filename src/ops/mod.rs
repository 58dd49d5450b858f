//! What operators may ask, once for REST, CLI and page.

pub mod access;
mod config;
mod finding;
mod question;
pub mod questions;

pub use config::{Config, Token};
pub use finding::{Finding, Status};
pub use question::{Context, Question, Unanswered};
