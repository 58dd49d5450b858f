//! Facts of read models that are rebuilt.

use crate::subscription::models::ModelVersion;

/// A step begins.
pub fn step(model: &str, version: ModelVersion, step: &str) {
    tracing::debug!(model, %version, step, "a rebuild goes on");
}

/// It cannot go on until an operator says so.
pub fn failed(model: &str, version: ModelVersion, why: &str) {
    tracing::error!(model, %version, why, "a rebuild has failed; see `ordo projections show`");
}
