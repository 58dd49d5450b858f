//! The operators' page: in a real browser, and what lets somebody in.

mod access;
mod asked;
mod live;
mod page;
mod why;
