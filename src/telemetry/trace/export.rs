//! Spans leave the process: a bounded queue, a thread, OTLP over HTTP. Whatever the collector does, nobody waits for it.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use opentelemetry::trace::TracerProvider;
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{Protocol, SpanExporter as Otlp, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider, Span, SpanData, SpanExporter, SpanProcessor,
};

use super::{Config, TRACER};
use crate::telemetry::names;

/// Spans that may wait for the collector; beyond it they are dropped and counted. Some 10 MB at most.
const QUEUE: usize = 8_192;
/// Spans of one request to the collector.
const BATCH: usize = 512;
/// How long spans gather.
const GATHER: Duration = Duration::from_secs(1);
/// Longest wait for the last spans at the end of the process.
const LAST_WAIT: Duration = Duration::from_secs(1);

static PROVIDER: OnceLock<SdkTracerProvider> = OnceLock::new();

/// Starts tracing if an endpoint is configured. Once a process; a second call keeps the first.
///
/// # Errors
/// In one line, if the exporter cannot be made of this configuration.
pub fn install(config: &Config) -> Result<(), String> {
    if config.endpoint.is_empty() || TRACER.get().is_some() {
        return Ok(());
    }
    let exporter = Otlp::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(format!("{}/v1/traces", config.endpoint.trim_end_matches('/')))
        .with_timeout(config.timeout)
        .build()
        .map_err(|error| format!("trace.endpoint = {:?} cannot be used: {error}", config.endpoint))?;
    let waiting = Arc::new(AtomicUsize::new(0));
    let counted = Counted { next: exporter, waiting: waiting.clone(), is_away: AtomicBool::new(false) };
    let batches = BatchConfigBuilder::default()
        .with_max_queue_size(QUEUE)
        .with_max_export_batch_size(BATCH)
        .with_scheduled_delay(GATHER)
        .build();
    let processor = BatchSpanProcessor::builder(counted).with_batch_config(batches).build();
    let provider = SdkTracerProvider::builder()
        .with_span_processor(Bounded { next: processor, waiting })
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(config.sample))))
        .with_resource(resource())
        .build();
    _ = TRACER.set(provider.tracer("ordo"));
    _ = PROVIDER.set(provider);
    tracing::info!(endpoint = config.endpoint, sample = config.sample, "traces go to an OTLP collector");
    Ok(())
}

/// Hands over the last spans, for a second at most. Blocks.
pub fn shut_down() {
    if let Some(provider) = PROVIDER.get()
        && let Err(error) = provider.shutdown_with_timeout(LAST_WAIT)
    {
        tracing::debug!(%error, "the last spans were not taken by the collector");
    }
}

fn resource() -> Resource {
    Resource::builder_empty()
        .with_attributes([
            KeyValue::new("service.name", "ordo"),
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
            KeyValue::new("process.pid", i64::from(std::process::id())),
        ])
        .build()
}

/// Lets so many spans wait and no more, and counts what it drops: the SDK's own queue drops without telling anybody.
#[derive(Debug)]
struct Bounded<P> {
    next: P,
    waiting: Arc<AtomicUsize>,
}

impl<P: SpanProcessor> SpanProcessor for Bounded<P> {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.next.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        let one_more = |waiting| (waiting < QUEUE).then_some(waiting + 1);
        match self.waiting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more) {
            Ok(_) => self.next.on_end(span),
            Err(_) => dropped("queue_full", 1),
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.next.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.next.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.next.set_resource(resource);
    }
}

/// Counts what the collector took, and says once that it is away and once that it is back.
#[derive(Debug)]
struct Counted<E> {
    next: E,
    waiting: Arc<AtomicUsize>,
    is_away: AtomicBool,
}

impl<E: SpanExporter> SpanExporter for Counted<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        let outcome = self.next.export(batch).await;
        self.waiting.fetch_sub(spans, Ordering::Relaxed);
        match &outcome {
            Ok(()) => {
                metrics::counter!(names::TRACE_SPANS_SENT_TOTAL).increment(spans as u64);
                if self.is_away.swap(false, Ordering::Relaxed) {
                    tracing::info!("the OTLP collector takes spans again");
                }
            }
            Err(error) => {
                dropped("not_taken", spans as u64);
                if !self.is_away.swap(true, Ordering::Relaxed) {
                    tracing::warn!(%error, "the OTLP collector takes no spans; they are dropped until it does");
                }
            }
        }
        outcome
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.next.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.next.set_resource(resource);
    }
}

fn dropped(reason: &'static str, spans: u64) {
    metrics::counter!(names::TRACE_SPANS_DROPPED_TOTAL, "reason" => reason).increment(spans);
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use opentelemetry::trace::{Span as _, Tracer};

    use super::*;

    /// A collector that takes nothing until it is told to.
    #[derive(Debug)]
    struct Hangs(std::sync::Mutex<mpsc::Receiver<()>>);

    impl SpanExporter for Hangs {
        async fn export(&self, _batch: Vec<SpanData>) -> OTelSdkResult {
            _ = self.0.lock().map(|gate| gate.recv());
            Ok(())
        }
    }

    #[test]
    fn spans_beyond_the_queue_are_dropped_and_nobody_waits() {
        let (gate, hangs) = mpsc::channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let counted = Counted {
            next: Hangs(std::sync::Mutex::new(hangs)),
            waiting: waiting.clone(),
            is_away: AtomicBool::new(false),
        };
        let batches =
            BatchConfigBuilder::default().with_max_queue_size(QUEUE).with_max_export_batch_size(BATCH).build();
        let processor = BatchSpanProcessor::builder(counted).with_batch_config(batches).build();
        let provider = SdkTracerProvider::builder()
            .with_span_processor(Bounded { next: processor, waiting: waiting.clone() })
            .build();
        let tracer = provider.tracer("test");
        for _ in 0..QUEUE + BATCH {
            tracer.start("span").end();
        }
        // Nothing has been taken, so exactly the queue's length waits; the rest was dropped by the one who ended them.
        assert_eq!(waiting.load(Ordering::Relaxed), QUEUE);
        drop(gate);
        provider.force_flush().expect("the collector takes everything now");
        assert_eq!(waiting.load(Ordering::Relaxed), 0);
    }
}
