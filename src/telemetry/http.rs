//! Facts of the listeners. Their counters and times are cached beside the routes, in `http/measure.rs`.

use std::time::Duration;

use super::trace::{Span, trace_id};

/// A request and what it was answered.
#[derive(Clone, Copy, Debug)]
pub struct Answered<'a> {
    /// Its method.
    pub method: &'static str,
    /// Its path, which names the order it is about.
    pub path: &'a str,
    /// The status of its answer.
    pub status: u16,
    /// What its story shares; the answer's `X-Request-Id`.
    pub correlation_id: uuid::Uuid,
}

/// A request was answered. A fault of ours, which has a `cause`, is an error. Everything else is told on request only,
/// `503` too: whoever is overloaded must not be slowed by saying so.
pub fn answered(answered: Answered<'_>, cause: Option<&str>, took: Duration, span: &Span) {
    let Answered { method, path, status, correlation_id } = answered;
    span.number("http.response.status_code", status);
    let traceparent = span.traceparent();
    let trace_id = traceparent.as_deref().and_then(trace_id);
    if let Some(cause) = cause {
        span.failed(&cause);
        tracing::error!(method, path, status, %correlation_id, trace_id, ?took, cause, "a request failed");
    } else {
        if status >= 500 {
            span.failed(&status);
        }
        tracing::debug!(method, path, status, %correlation_id, trace_id, ?took, "request answered");
    }
}
