//! A row: one thing that is measured, and what one round of it gives.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::BoxFuture;

use super::service::Service;

/// Figures of one round by name; every figure has its unit in its name.
pub type Figures = BTreeMap<&'static str, f64>;

/// One row of the bench. A row is one file and one line in `rows::ALL`.
pub struct Row {
    pub name: &'static str,
    pub about: &'static str,
    /// The row and figure others of its kind are compared with; `None` for the baseline itself.
    pub baseline: Option<(&'static str, &'static str)>,
    pub measure: for<'a> fn(&'a Service, Duration) -> BoxFuture<'a, anyhow::Result<Figures>>,
}
