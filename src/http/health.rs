//! `/livez` and `/readyz`: may traffic come here, and if not, why.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

use crate::ops::{Finding, Probe, Status};

/// What `/readyz` answers.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Readiness {
    /// The worst of the findings.
    pub status: Status,
    /// One entry a dependency, and one for each alarm that stands.
    pub findings: Vec<Finding>,
}

/// The process answers.
pub(super) async fn livez() -> &'static str {
    "ok\n"
}

/// `200` unless something is down.
pub(super) async fn readyz(State(probe): State<Probe>) -> Response {
    let findings = probe.ask().await;
    let status = Finding::worst(&findings);
    let code = if status == Status::Down { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    (code, Json(Readiness { status, findings })).into_response()
}
