//! Counts and times every answer by matched route, bounds its time, and gives it its request id.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use metrics::{Counter, Histogram};

use super::error::{Cause, Problem};
use super::extract::{Correlation, Traced, traceparent};
use crate::telemetry::http::Answered;
use crate::telemetry::trace::{self, Span};
use crate::telemetry::{self, names};

/// Label of requests no route knows.
const UNMATCHED: &str = "unmatched";

/// Meters made once and looked up by reference afterwards: a label set costs allocations, a lookup none.
static METERS: LazyLock<ArcSwap<HashMap<Arc<str>, Vec<Meter>>>> = LazyLock::new(ArcSwap::default);

#[derive(Clone)]
struct Meter {
    method: &'static str,
    status: u16,
    requests: Counter,
    seconds: Histogram,
}

/// The outermost layer of both listeners.
pub(super) async fn answer(State(within): State<Duration>, mut request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let correlation = Correlation::of(request.headers());
    request.extensions_mut().insert(correlation);
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or(UNMATCHED, MatchedPath::as_str);
    let method = name_of(request.method());
    let uri = request.uri().clone();
    let span = begin(&mut request, method, route, correlation.0);
    let mut response = match tokio::time::timeout(within, next.run(request)).await {
        Ok(response) => response,
        Err(_) => too_slow(method).into_response(),
    };
    let mut text = uuid::Uuid::encode_buffer();
    let id: &str = correlation.0.as_hyphenated().encode_lower(&mut text);
    if let Ok(id) = HeaderValue::from_str(id) {
        response.headers_mut().insert("x-request-id", id);
    }
    let answered =
        Answered { method, path: uri.path(), status: response.status().as_u16(), correlation_id: correlation.0 };
    let cause = response.extensions_mut().remove::<Cause>();
    telemetry::http::answered(answered, cause.map(|cause| cause.0).as_deref(), begun.elapsed(), &span);
    record(route, method, response.status(), begun.elapsed());
    response
}

/// The request's span, where callers' stories begin: what probes, scrapes and operators ask is nobody's story.
fn begin(request: &mut Request, method: &'static str, route: &str, correlation: uuid::Uuid) -> Span {
    if !route.starts_with("/v1/") {
        return Span::default();
    }
    let span = trace::request(method, route, correlation, traceparent(request.headers()));
    if let Some(traceparent) = span.traceparent() {
        request.extensions_mut().insert(Traced(traceparent));
    }
    span
}

fn too_slow(method: &str) -> Problem {
    let pause = Duration::from_secs(1);
    if method == "GET" || method == "HEAD" {
        *Problem::unavailable("too_slow", "the answer took too long", pause)
    } else {
        *Problem::unavailable("outcome_unknown", "the answer took too long; the outcome is not known", pause)
            .next("retry with the same key")
    }
}

/// Methods are the caller's text, so that only those known become a label.
fn name_of(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PATCH => "PATCH",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

fn record(route: &str, method: &'static str, status: StatusCode, took: Duration) {
    let status = status.as_u16();
    let meters = METERS.load();
    let known = meters
        .get(route)
        .and_then(|meters| meters.iter().find(|meter| meter.status == status && meter.method == method));
    let made;
    let meter = if let Some(meter) = known {
        meter
    } else {
        made = make(route, method, status);
        &made
    };
    meter.requests.increment(1);
    meter.seconds.record(took);
}

fn make(route: &str, method: &'static str, status: u16) -> Meter {
    let name: Arc<str> = route.into();
    let meter = Meter {
        method,
        status,
        requests: metrics::counter!(
            names::HTTP_REQUESTS_TOTAL, "route" => name.clone(), "method" => method, "status" => status.to_string()
        ),
        seconds: metrics::histogram!(names::HTTP_REQUEST_SECONDS, "route" => name.clone(), "method" => method),
    };
    METERS.rcu(|meters| {
        let mut meters = HashMap::clone(meters);
        let of_route = meters.entry(name.clone()).or_default();
        if !of_route.iter().any(|known| known.status == status && known.method == method) {
            of_route.push(meter.clone());
        }
        meters
    });
    meter
}
