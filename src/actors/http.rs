//! A listener: serves a router until it is stopped, then finishes the requests it has begun.
//!
//! Supervised by the root. The socket is bound by whoever starts the process, so that a taken port is an error at start;
//! a restart binds it again.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, SpawnErr};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::mailbox::{Admission, Envelope, Permits};
use super::supervisor::ChildSpec;
use crate::supervision::Crash;
use crate::{faults, http};

/// Kind of this actor.
pub const LISTENER: &str = "listener";
/// Longest wait for requests that have begun.
const DRAIN: Duration = Duration::from_secs(8);

/// What a listener is made of.
#[derive(Clone)]
pub struct Arguments {
    /// Its name: `rest` or `ops`.
    pub name: &'static str,
    /// Where it listens.
    pub address: SocketAddr,
    /// The socket for its first start.
    pub bound: Arc<tokio::sync::Mutex<Option<TcpListener>>>,
    /// What it serves.
    pub router: Router,
}

/// What a listener is told.
#[derive(Debug)]
pub enum Message {
    /// From its server: it has ended.
    Ended(Option<String>),
    /// From itself, now and then.
    Pulse,
}

/// What a listener holds.
pub struct State {
    stop: Option<oneshot::Sender<()>>,
    server: Option<JoinHandle<()>>,
}

struct Listener;

/// The child that listens.
#[must_use]
pub fn spec(arguments: Arguments) -> ChildSpec {
    ChildSpec::new(arguments.name, LISTENER, move |above| start(arguments.clone(), above))
}

async fn start(arguments: Arguments, above: ActorCell) -> Result<ActorCell, SpawnErr> {
    let admission = Admission::new(LISTENER, Permits { callers: 0, consumers: 0 });
    let (actor, _) = Actor::spawn_linked(None, Listener, (arguments, admission.clone()), above).await?;
    actor.send_interval(Duration::from_secs(1), move || admission.control(Message::Pulse));
    Ok(actor.get_cell())
}

impl Actor for Listener {
    type Msg = Envelope<Message>;
    type State = State;
    type Arguments = (Arguments, Admission);

    async fn pre_start(
        &self,
        me: ActorRef<Self::Msg>,
        (arguments, admission): Self::Arguments,
    ) -> Result<State, ActorProcessingErr> {
        let bound = arguments.bound.lock().await.take();
        let listener = match bound {
            Some(listener) => listener,
            None => TcpListener::bind(arguments.address).await.map_err(Crash::dependency_down)?,
        };
        let (stop, stopped) = oneshot::channel::<()>();
        #[expect(clippy::disallowed_methods, reason = "the server runs beside its actor, which waits for its end")]
        let server = tokio::spawn(async move {
            // A dropped sender is an actor that crashed: the port must be free for the next one.
            let until = async move { _ = stopped.await };
            let ended = http::serve(listener, arguments.router, until).await;
            let why = ended.err().map(|error| error.to_string());
            _ = me.send_message(admission.control(Message::Ended(why)));
        });
        Ok(State { stop: Some(stop), server: Some(server) })
    }

    async fn handle(
        &self,
        _me: ActorRef<Self::Msg>,
        envelope: Self::Msg,
        _state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        let (message, handling) = envelope.open();
        faults::actor(LISTENER)?;
        match message {
            Message::Ended(why) => {
                let why = why.unwrap_or_else(|| "the server ended".to_owned());
                return Err(Crash::dependency_down(why).into());
            }
            Message::Pulse => {}
        }
        handling.done();
        Ok(())
    }

    async fn post_stop(&self, _me: ActorRef<Self::Msg>, state: &mut State) -> Result<(), ActorProcessingErr> {
        drop(state.stop.take());
        if let Some(server) = state.server.take() {
            // Requests that take longer lose their connection; whatever they asked for is durable or was not done.
            _ = timeout(DRAIN, server).await;
        }
        Ok(())
    }
}
