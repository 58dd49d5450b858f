//! `ordo serve`: starts the tree, waits for a signal, stops in order.

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use tokio::net::TcpListener;
use tokio::sync::Mutex;

use super::resources::Resources;
use super::roles::{Role, distinct, parts};
use super::{probes, shutdown};
use crate::actors::http::{self as listener, Arguments};
use crate::actors::supervisor::{self, ChildSpec, start_root};
use crate::actors::{heartbeat, housekeeper, observer, rebuilder};
use crate::config::Config;
use crate::event_store::{PartitionError, Partitions};
use crate::http::{Gateway, OpsState, ops_router, router};
use crate::read_model::TableRouter;
use crate::subscription::{Listed, NameError};
use crate::supervision::StopReason;
use crate::{consumers, faults, postgres, telemetry};

/// Pause between two looks for a Postgres that is away at start.
const PAUSE: Duration = Duration::from_secs(1);

/// Why a process could not serve, or stopped serving.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Postgres is not usable as configured.
    #[error(transparent)]
    Setup(#[from] postgres::SetupError),
    /// The log is not there, or not this build's.
    #[error(transparent)]
    Partitions(#[from] PartitionError),
    /// A port is taken.
    #[error("cannot listen on {address}; stop what listens there, or set {key}")]
    Listen {
        /// Where.
        address: std::net::SocketAddr,
        /// What to change.
        key: &'static str,
        /// What the system says.
        source: std::io::Error,
    },
    /// Two consumers of one name, or a name that cannot be one.
    #[error(transparent)]
    Names(#[from] NameError),
    /// A configuration that must not be served.
    #[error("{0}")]
    Refused(String),
    /// The tree could not be started.
    #[error("the actors could not be started: {0}")]
    Start(#[from] ractor::SpawnErr),
    /// The tree gave up.
    #[error("the actors gave up: {0}; GET /ops/v1/supervision and the log say what crashed")]
    GaveUp(String),
}

/// Serves these roles until a signal or until the tree gives up.
///
/// # Errors
/// [`ServeError`], each with what to do next.
pub async fn serve(config: Config, roles: Vec<Role>) -> Result<(), ServeError> {
    let mut consumers = consumers::all();
    distinct(&consumers)?;
    consumers.retain(|listed| roles.contains(&Role::Consumer(listed.name)));
    run(config, roles, consumers).await
}

/// Runs these roles, of which `consumers` are those that are consumers.
pub(super) async fn run(config: Config, roles: Vec<Role>, consumers: Vec<Listed>) -> Result<(), ServeError> {
    telemetry::exporter::install();
    telemetry::trace::install(&config.trace).map_err(ServeError::Refused)?;
    faults::arm_from_environment().map_err(ServeError::Refused)?;
    let ops_listener = bind(config.ops.listen, "ORDO_OPS__LISTEN").await?;
    let rest_listener = match roles.contains(&Role::Http) {
        true => Some(bind(config.http.listen, "ORDO_HTTP__LISTEN").await?),
        false => None,
    };
    let db = postgres::pool(&config.postgres)?;
    let Some(partitions) = wait_for_log(&db).await? else {
        return Ok(());
    };
    let address = ops_listener.local_addr().unwrap_or(config.ops.listen);
    let resources = Resources::open(config, db, partitions, &roles, &consumers, address)?;
    let children = children(&resources, &roles, consumers, ops_listener, rest_listener);
    let arguments = supervisor::Arguments::new(
        resources.root.clone(),
        children,
        &resources.config.supervision,
        resources.history.clone(),
    );
    let mut root = start_root(arguments).await?;
    tracing::info!(roles = %names(&roles), "ordo serves");
    let reason = tokio::select! {
        () = shutdown::signal() => None,
        reason = root.ended() => Some(reason),
    };
    let ended = match reason {
        None => {
            shutdown::stop(&root, &resources).await;
            Ok(())
        }
        Some(StopReason::Escalated(why) | StopReason::Unexpected(why)) => Err(ServeError::GaveUp(why)),
        Some(StopReason::Done | StopReason::Ordered) => Ok(()),
    };
    shutdown::last_words(&resources).await;
    ended
}

async fn bind(address: std::net::SocketAddr, key: &'static str) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address).await.map_err(|source| ServeError::Listen { address, key, source })
}

/// The log says how it is divided, so Postgres must have answered once; until then it is waited for. `None` after a signal.
async fn wait_for_log(db: &PgPool) -> Result<Option<Partitions>, PartitionError> {
    loop {
        // Once a signal can be heard it no longer ends the process by itself, so it is listened to all the time.
        let loaded = tokio::select! {
            () = shutdown::signal() => return Ok(None),
            loaded = Partitions::load(db) => loaded,
        };
        match loaded {
            Ok(partitions) => return Ok(Some(partitions)),
            Err(PartitionError::Postgres(error)) if is_away(&error) => {
                tracing::warn!(%error, "Postgres does not answer yet; it is asked again every second");
            }
            Err(error) => return Err(error),
        }
        tokio::select! {
            () = shutdown::signal() => return Ok(None),
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

fn is_away(error: &sqlx::Error) -> bool {
    matches!(postgres::classify(error), postgres::Fault::Lost | postgres::Fault::Unavailable)
}

/// The tree, in start order; it is stopped in reverse: REST, consumers, aggregates, writers, relay, and the rest.
fn children(
    resources: &Resources,
    roles: &[Role],
    consumers: Vec<Listed>,
    ops_listener: TcpListener,
    rest_listener: Option<TcpListener>,
) -> Vec<ChildSpec> {
    let probe = probes::probe(resources, roles);
    let ops = ops_router(OpsState {
        context: resources.operators(probe.clone()),
        probe: probe.clone(),
        config: resources.config.ops.clone(),
    });
    let mut children = vec![
        heartbeat::spec(resources.heartbeat()),
        housekeeper::spec(resources.housekeeping()),
        rebuilder::spec(resources.rebuilding(roles)),
        observer::spec(resources.observing()),
        listen("ops", ops_listener, ops),
    ];
    children.extend(parts(roles, consumers, resources));
    if let Some(socket) = rest_listener {
        let gateway = Gateway {
            commands: resources.commands.clone(),
            db: resources.db.clone(),
            models: TableRouter::new(resources.db.clone()),
            partitions: resources.partitions,
            probe,
            config: resources.config.http.clone(),
        };
        children.push(listen("http", socket, router(gateway)));
    }
    children
}

fn listen(name: &'static str, socket: TcpListener, router: axum::Router) -> ChildSpec {
    let address = socket.local_addr().expect("a bound socket has an address");
    tracing::info!(listener = name, %address, "listening");
    listener::spec(Arguments { name, address, bound: Arc::new(Mutex::new(Some(socket))), router })
}

fn names(roles: &[Role]) -> String {
    roles.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}
