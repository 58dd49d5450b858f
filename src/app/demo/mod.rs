//! A believable shop: what it sells, and a past of any length, for demonstrations and measurements.

mod catalogue;
mod fill;
mod happened;
mod lives;
mod shop;

pub use catalogue::{CATALOGUE, Goods};
pub use fill::{FillError, Filled, Past, fill};
