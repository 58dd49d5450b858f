//! Read models: how projections are run. A projection is pure: which rows an event touches, and how it changes one.
//!
//! Rows are written by nothing but `fold`, so a rebuilt model equals the live one by construction. Tables are versioned
//! and live in the schema `views`; queries name the active one through the [`TableRouter`]. Owns the tables that say which
//! versions there are and how each is made.

mod fold;
mod model;
pub mod rebuild;
mod router;
mod row;
mod shape;
mod table;
pub mod versions;
pub mod wait;

use std::fmt::Debug;
use std::hash::Hash;

use chrono::{DateTime, Utc};

use crate::domain::DomainEvent;

pub use fold::seen;
pub use model::{FedBy, Model, create_tables};
pub use router::{NotBuilt, QueryError, TableRouter};
pub use row::Row;
pub(crate) use row::row;
pub use shape::{Of, Shape};
pub use table::Table;

/// One event as a projection sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded<E> {
    /// Its number in its stream.
    pub version: i32,
    /// When it was appended. Absent where a consumer folds what it has just decided, since the append comes after.
    pub recorded_at: Option<DateTime<Utc>>,
    /// What happened.
    pub event: E,
}

/// A read model: keys and a fold, both pure, and a table template beside it.
pub trait Projection: Send + Sync + 'static {
    /// Its name, and its table's.
    const NAME: &'static str;
    /// Version of its table and fold; raising it makes a new table.
    const VERSION: u16;
    /// Statements that make its table, the first, and its indexes, the others, each ended by `;` at the end of a line:
    /// `{table}` is the qualified name, `{name}` the bare one.
    const TEMPLATE: &'static str;
    /// What the streams it folds begin with, such as `order:`. Rows of its own come from one kind of stream.
    const STREAMS: &'static [&'static str];
    /// Whether several partitions feed one row, so that rows are locked before they are read.
    const SHARED_ROWS: bool;
    /// What it folds; every other event passes it by.
    type Event: DomainEvent;
    /// Its rows.
    type Row: Row;

    /// The stream that a row of its own is folded from. Not asked where [`Projection::SHARED_ROWS`] says that several feed
    /// one.
    #[must_use]
    fn stream_of(key: &str) -> String {
        format!("{}{key}", Self::STREAMS.first().copied().unwrap_or_default())
    }

    /// Which rows `event` changes.
    fn keys(event: &Recorded<Self::Event>) -> Vec<<Self::Row as Row>::Key>;

    /// Changes one row. Called once for each of [`Projection::keys`].
    fn fold(row: &mut Self::Row, event: &Recorded<Self::Event>);

    /// Joins what other events of a row came to: commutative and associative, like the fold of events of several
    /// partitions. Only called where [`Projection::SHARED_ROWS`] says so.
    fn merge(into: &mut Self::Row, part: Self::Row);
}

/// A key: ordered, so that rows are locked in one order everywhere.
pub trait Key: Clone + Ord + Hash + Debug + Send + Sync + 'static {}
impl<K: Clone + Ord + Hash + Debug + Send + Sync + 'static> Key for K {}
