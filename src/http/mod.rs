//! REST and the operators' listener: the only place of axum.
//!
//! A handler reads, asks `commands` or a query, and answers; it decides nothing.

mod assets;
mod config;
mod error;
mod extract;
mod guard;
mod health;
mod limits;
mod live;
mod measure;
mod openapi;
mod ops;
mod ops_args;
mod session;
mod v1;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use axum::serve::ListenerExt;
use axum::{Extension, Router};
use sqlx::PgPool;
use tokio::sync::watch;

use crate::commands::Commands;
use crate::event_store::Partitions;
use crate::ops::Probe;
use crate::read_model::TableRouter;

pub use config::Config;
pub use error::{FieldError, Problem};
pub use health::Readiness;
pub use ops::{OpsState, ops_router};

/// What the REST handlers need.
#[derive(Clone)]
pub struct Gateway {
    /// The door to the write side.
    pub commands: Commands,
    /// Where the log is read.
    pub db: PgPool,
    /// Where queries of read models go.
    pub models: TableRouter,
    /// How many log partitions there are: a position token beyond them is none.
    pub partitions: Partitions,
    /// How the dependencies are.
    pub probe: Probe,
    /// Limits.
    pub config: Config,
}

/// The REST listener's routes.
pub fn router(gateway: Gateway) -> Router {
    let config = gateway.config.clone();
    let probe = gateway.probe.clone();
    let (v1, document) = openapi::documented("ordo", "Orders, products, stock", v1::routes);
    let health =
        Router::new().route("/livez", get(health::livez)).route("/readyz", get(health::readyz)).with_state(probe);
    finished(v1.with_state(Arc::new(gateway)).merge(health).merge(openapi::route("/openapi.json", document)), &config)
}

/// What every router of ours has: problems instead of empty answers, limits, meters.
fn finished(router: Router, config: &Config) -> Router {
    router
        .method_not_allowed_fallback(async || {
            error::Failed(
                Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "this path has no such method")
                    .next("the header Allow names the methods it has"),
            )
        })
        .fallback(async || {
            error::Failed(
                Problem::new(StatusCode::NOT_FOUND, "no_such_path", "there is no such path")
                    .next("/openapi.json names every path of the REST listener"),
            )
        })
        .layer(DefaultBodyLimit::max(config.body_bytes))
        .layer(from_fn_with_state(config.answer_within, measure::answer))
}

/// Serves until `stop`, then answers what has begun and ends.
///
/// # Errors
/// What the socket says.
pub async fn serve(
    listener: tokio::net::TcpListener,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let listener = listener.tap_io(|connection| {
        // Without it an answer waits for the other side's acknowledgement; a socket that refuses is only slower.
        _ = connection.set_nodelay(true);
    });
    // A stream that did not end would keep its connection, and with it the listener, for ever.
    let (close, closing) = watch::channel(false);
    let service = router.layer(Extension(live::Closing(closing))).into_make_service_with_connect_info::<SocketAddr>();
    let stop = async move {
        stop.await;
        close.send_replace(true);
    };
    axum::serve(listener, service).with_graceful_shutdown(stop).await
}
