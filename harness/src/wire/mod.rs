//! What ordo shows to the outside, written down a second time and independently of its code.

pub mod digest;
pub mod event;
pub mod lines;
pub mod placement;
pub mod stream;
pub mod token;
