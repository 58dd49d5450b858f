//! The composition root: the only folder that may see everything.

mod nodes;
mod probes;
mod resources;
mod roles;
mod serve;
mod shutdown;

pub use probes::doctor;
pub use roles::Role;
pub use serve::{ServeError, serve};
