//! `[trace]`: traces by OTLP. One trace follows an order from its request over mailbox, commit, relay and consumers to
//! `confirmed`: every event carries the `traceparent` of what decided it, and whoever handles the event goes on from there.
//!
//! The only place of the `opentelemetry` crates. While tracing is off, or an order's trace is not sampled, a [`Span`] is
//! nothing: no allocation, no clock, one atomic load. Spans leave by a bounded queue on a thread of their own, so that a
//! collector that hangs costs spans, which are counted, and never an order.

mod export;

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use opentelemetry::trace::{
    Span as _, SpanBuilder, SpanContext, SpanId, SpanKind, Status, TraceContextExt, TraceFlags, TraceId, TraceState,
    Tracer,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::SdkTracer;
use serde::{Deserialize, Serialize};

use crate::config::range;
use crate::contracts::RecordedEvent;

pub use export::{install, shut_down};

/// Set once by [`install`]; empty while tracing is off.
static TRACER: OnceLock<SdkTracer> = OnceLock::new();

/// `[trace]`: where traces go. `ORDO_TRACE__ENDPOINT=http://127.0.0.1:4318` switches them on.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Address of an OTLP collector that takes HTTP; spans go to `/v1/traces` below it. Empty: no traces.
    pub endpoint: String,
    /// Share of the requests that are traced, 0 to 1. A request that brings a `traceparent` is traced if its sender says so.
    pub sample: f64,
    /// Longest wait for the collector's answer, 10 ms to 1 min; what it has not taken by then is given up.
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self { endpoint: String::new(), sample: 1.0, timeout: Duration::from_secs(3) }
    }
}

impl Config {
    /// Whether every value is within its range.
    ///
    /// # Errors
    /// In one line: the key, its value, what is expected.
    pub fn check(&self) -> Result<(), String> {
        if !self.endpoint.is_empty() && !self.endpoint.starts_with("http://") {
            return Err(format!(
                "trace.endpoint = {:?}: expected an address such as http://127.0.0.1:4318; for TLS, put a collector beside \
                 this process",
                self.endpoint
            ));
        }
        range::number("trace.sample", self.sample, 0.0..=1.0)?;
        range::time("trace.timeout", self.timeout, Duration::from_millis(10)..=Duration::from_mins(1))
    }
}

/// Something that takes time, in a trace; or nothing. A clone is the same span: it ends with its last clone.
#[derive(Clone, Debug, Default)]
pub struct Span(Option<Arc<Recording>>);

#[derive(Debug)]
struct Recording {
    context: SpanContext,
    span: Mutex<opentelemetry_sdk::trace::Span>,
}

impl Span {
    /// The `traceparent` of whatever this span leads to; none if it is nothing.
    #[must_use]
    pub fn traceparent(&self) -> Option<String> {
        let context = &self.0.as_ref()?.context;
        let mut text = String::with_capacity(55);
        // Writing to a string cannot fail.
        _ = write!(text, "00-{}-{}-{:02x}", context.trace_id(), context.span_id(), context.trace_flags());
        Some(text)
    }

    /// Whether anything is recorded: what is costly to say is only said then.
    #[must_use]
    pub fn is_recording(&self) -> bool {
        self.0.is_some()
    }

    /// Says a number about it.
    pub fn number(&self, name: &'static str, value: impl TryInto<i64>) {
        self.with(|span| span.set_attribute(KeyValue::new(name, value.try_into().unwrap_or(i64::MAX))));
    }

    /// Says a word about it.
    pub fn word(&self, name: &'static str, value: &'static str) {
        self.with(|span| span.set_attribute(KeyValue::new(name, value)));
    }

    /// A moment inside it, such as the end of a wait.
    pub fn moment(&self, name: &'static str) {
        self.with(|span| span.add_event(name, Vec::new()));
    }

    /// It came to nothing.
    pub fn failed(&self, why: &dyn std::fmt::Display) {
        self.with(|span| span.set_status(Status::error(why.to_string())));
    }

    fn with(&self, say: impl FnOnce(&mut opentelemetry_sdk::trace::Span)) {
        if let Some(recording) = &self.0 {
            say(&mut recording.span.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }
}

/// What a span is called, what kind of work it is, and what is known of it from the start.
struct Begin<'a> {
    kind: SpanKind,
    name: &'a dyn Fn() -> String,
    attributes: &'a dyn Fn() -> Vec<KeyValue>,
}

/// A request came in. The only span that may begin a trace: everything else belongs to one or to none.
#[must_use]
pub fn request(method: &'static str, route: &str, correlation: uuid::Uuid, traceparent: Option<&str>) -> Span {
    let Some(tracer) = TRACER.get() else { return Span::default() };
    let parent = traceparent.and_then(context_of).map_or_else(Context::new, |context| remote(&context));
    start(
        tracer,
        &parent,
        &Begin {
            kind: SpanKind::Server,
            name: &|| format!("{method} {route}"),
            attributes: &|| {
                vec![
                    KeyValue::new("http.request.method", method),
                    KeyValue::new("http.route", route.to_owned()),
                    KeyValue::new("ordo.correlation_id", correlation.to_string()),
                ]
            },
        },
    )
}

/// A command is on its way to its aggregate: over two mailboxes, to be decided, appended and answered.
#[must_use]
pub fn command(
    aggregate: &'static str,
    name: &'static str,
    id: &dyn std::fmt::Display,
    traceparent: Option<&str>,
) -> Span {
    child(
        traceparent,
        &Begin {
            kind: SpanKind::Internal,
            name: &|| format!("{aggregate} {name}"),
            attributes: &|| vec![KeyValue::new("ordo.stream_id", format!("{aggregate}:{id}"))],
        },
    )
}

/// What was decided is on its way to the log: with its writer, then in a batch.
#[must_use]
pub fn append(of: &Span, stream_id: &str, events: usize) -> Span {
    let (Some(tracer), Some(above)) = (TRACER.get(), &of.0) else { return Span::default() };
    start(
        tracer,
        &remote(&above.context),
        &Begin {
            kind: SpanKind::Internal,
            name: &|| "append".to_owned(),
            attributes: &|| vec![KeyValue::new("ordo.stream_id", stream_id.to_owned()), count("ordo.events", events)],
        },
    )
}

/// An event is on its way to a topic, until the broker has acknowledged it.
#[must_use]
pub fn publish(topic: &str, event: &RecordedEvent) -> Span {
    of_event(
        event,
        &Begin {
            kind: SpanKind::Producer,
            name: &|| format!("publish {topic}"),
            attributes: &|| {
                let mut attributes = named(event);
                attributes.push(KeyValue::new("messaging.system", "kafka"));
                attributes.push(KeyValue::new("messaging.destination.name", topic.to_owned()));
                attributes
            },
        },
    )
}

/// A subscription works on an event, in one transaction with others: `verb` says whether it decides or folds.
#[must_use]
pub fn process(verb: &'static str, subscription: &str, event: &RecordedEvent) -> Span {
    of_event(
        event,
        &Begin {
            kind: SpanKind::Consumer,
            name: &|| format!("{verb} {subscription}"),
            attributes: &|| {
                let mut attributes = named(event);
                attributes.push(KeyValue::new("messaging.consumer.group.name", subscription.to_owned()));
                attributes
            },
        },
    )
}

fn named(event: &RecordedEvent) -> Vec<KeyValue> {
    vec![
        KeyValue::new("ordo.event_id", event.id().to_string()),
        KeyValue::new("ordo.event_type", event.event_type.clone()),
        KeyValue::new("ordo.stream_id", event.stream_id.clone()),
        KeyValue::new("ordo.position", event.token().to_string()),
    ]
}

/// Below whatever decided the event.
fn of_event(event: &RecordedEvent, begin: &Begin<'_>) -> Span {
    if is_on() { child(event.meta().traceparent.as_deref(), begin) } else { Span::default() }
}

/// Whether traces are recorded at all: what must be looked up first is only looked up then.
pub(super) fn is_on() -> bool {
    TRACER.get().is_some()
}

/// The trace a `traceparent` belongs to, as log lines and tools name it.
#[must_use]
pub fn trace_id(traceparent: &str) -> Option<&str> {
    is_traceparent(traceparent).then(|| &traceparent[3..35])
}

/// `00-<32 hex>-<16 hex>-<2 hex>`, ids not all zero. Source: W3C Trace Context, `traceparent`.
#[must_use]
pub fn is_traceparent(text: &str) -> bool {
    let is_hex = |part: &[u8]| part.iter().all(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(c));
    let is_id = |part: &[u8]| is_hex(part) && part.iter().any(|c| *c != b'0');
    match text.as_bytes() {
        [v0, v1, b'-', rest @ ..] if rest.len() == 52 && rest[32] == b'-' && rest[49] == b'-' => {
            let version = [*v0, *v1];
            is_hex(&version) && version != *b"ff" && is_id(&rest[..32]) && is_id(&rest[33..49]) && is_hex(&rest[50..])
        }
        _ => false,
    }
}

fn context_of(traceparent: &str) -> Option<SpanContext> {
    if !is_traceparent(traceparent) {
        return None;
    }
    let trace_id = TraceId::from_hex(&traceparent[3..35]).ok()?;
    let span_id = SpanId::from_hex(&traceparent[36..52]).ok()?;
    let flags = TraceFlags::new(u8::from_str_radix(&traceparent[53..55], 16).ok()?);
    Some(SpanContext::new(trace_id, span_id, flags, true, TraceState::NONE))
}

fn remote(context: &SpanContext) -> Context {
    Context::new().with_remote_span_context(context.clone())
}

/// A span below a sampled one; below none, or one that is not sampled, there is nothing.
fn child(traceparent: Option<&str>, begin: &Begin<'_>) -> Span {
    let Some(tracer) = TRACER.get() else { return Span::default() };
    match traceparent.and_then(context_of).filter(SpanContext::is_sampled) {
        Some(parent) => start(tracer, &remote(&parent), begin),
        None => Span::default(),
    }
}

fn start(tracer: &SdkTracer, parent: &Context, begin: &Begin<'_>) -> Span {
    let mut span =
        tracer.build_with_context(SpanBuilder::from_name((begin.name)()).with_kind(begin.kind.clone()), parent);
    if !span.is_recording() {
        return Span::default();
    }
    span.set_attributes((begin.attributes)());
    Span(Some(Arc::new(Recording { context: span.span_context().clone(), span: Mutex::new(span) })))
}

fn count(name: &'static str, value: usize) -> KeyValue {
    KeyValue::new(name, i64::try_from(value).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn the_published_example_is_a_traceparent_and_what_differs_is_none() {
        assert!(is_traceparent(PARENT));
        assert_eq!(trace_id(PARENT), Some("4bf92f3577b34da6a3ce929d0e0e4736"));
        for bad in [
            "",
            "00",
            &PARENT[1..],
            &format!("{PARENT}-00"),
            &PARENT.to_uppercase(),
            &PARENT.replacen("00-", "ff-", 1),
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        ] {
            assert!(!is_traceparent(bad) && trace_id(bad).is_none() && context_of(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn while_tracing_is_off_every_span_is_nothing() {
        let asked = request("POST", "/v1/orders", uuid::Uuid::nil(), Some(PARENT));
        let span = command("order", "place", &1, Some(PARENT));
        for span in [asked, append(&span, "order:1", 1), span] {
            assert!(!span.is_recording() && span.traceparent().is_none());
        }
    }

    #[test]
    fn an_endpoint_that_could_never_work_is_refused_with_what_to_do() {
        let check = |endpoint: &str| Config { endpoint: endpoint.to_owned(), ..Config::default() }.check();
        assert!(check("").is_ok() && check("http://127.0.0.1:4318").is_ok());
        assert!(check("https://collector").unwrap_err().contains("beside"));
        assert!(Config { sample: 1.5, ..Config::default() }.check().is_err());
    }
}
