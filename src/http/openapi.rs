//! `/openapi.json`, generated from the types the handlers take and give.

use std::sync::Arc;

use aide::axum::ApiRouter;
use aide::openapi::{Info, OpenApi};
use axum::Router;
use axum::body::Bytes;
use axum::http::header;
use axum::routing::get;

/// Builds routes and their document together, so that none is without the other.
pub(super) fn documented<S: Clone + Send + Sync + 'static>(
    title: &str,
    summary: &str,
    routes: impl FnOnce() -> ApiRouter<S>,
) -> (Router<S>, OpenApi) {
    // A generic answer such as `Result` is documented by every status it can have, errors included.
    aide::generate::infer_responses(true);
    aide::generate::extract_schemas(true);
    let mut document = OpenApi {
        info: Info {
            title: title.to_owned(),
            summary: Some(summary.to_owned()),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            ..Info::default()
        },
        ..OpenApi::default()
    };
    let router = routes().finish_api(&mut document);
    (router, document)
}

/// Serves a document, written once.
pub(super) fn route(path: &str, document: OpenApi) -> Router {
    let json =
        Arc::new(Bytes::from(serde_json::to_vec(&document).expect("a document has string keys only, so it is JSON")));
    Router::new().route(
        path,
        get(move || {
            let json = Bytes::clone(&json);
            async move { ([(header::CONTENT_TYPE, "application/json")], json) }
        }),
    )
}
