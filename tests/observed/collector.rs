//! A small OTLP collector: takes spans by HTTP and remembers them, or takes connections and never answers.

#![expect(clippy::disallowed_methods, reason = "a test's own server is no actor")]

use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use tokio::net::{TcpListener, TcpStream};

/// Takes spans.
pub struct Collector {
    pub endpoint: String,
    spans: Arc<Mutex<Vec<Span>>>,
}

impl Collector {
    pub async fn start() -> Self {
        let (listener, endpoint) = listen().await;
        let spans = Arc::new(Mutex::new(Vec::new()));
        let taken = spans.clone();
        let router = axum::Router::new().route(
            "/v1/traces",
            post(async move |body: Bytes| {
                let request = ExportTraceServiceRequest::decode(body).expect("OTLP in protobuf");
                let scopes = request.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
                taken.lock().unwrap().extend(scopes.flat_map(|scope| scope.spans));
            }),
        );
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { endpoint, spans }
    }

    /// The spans of one trace, as far as they have come.
    pub fn of_trace(&self, trace_id: &str) -> Vec<Span> {
        let spans = self.spans.lock().unwrap();
        spans.iter().filter(|span| hex(&span.trace_id) == trace_id).cloned().collect()
    }

    /// Names of the spans of all other traces so far.
    pub fn of_others(&self, trace_id: &str) -> Vec<String> {
        let spans = self.spans.lock().unwrap();
        spans.iter().filter(|span| hex(&span.trace_id) != trace_id).map(|span| span.name.clone()).collect()
    }
}

pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// Takes connections and never answers; how many it has taken.
pub async fn hanging() -> (String, Arc<Mutex<Vec<TcpStream>>>) {
    let (listener, endpoint) = listen().await;
    let held = Arc::new(Mutex::new(Vec::new()));
    let holding = held.clone();
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            holding.lock().unwrap().push(connection);
        }
    });
    (endpoint, held)
}

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    (listener, endpoint)
}
