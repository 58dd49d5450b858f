//! Talking to a supervisor, and the one at the top.

use std::time::Duration;

use ractor::rpc::CallResult;
use ractor::{Actor, ActorCell, ActorRef, RpcReplyPort, SpawnErr};

use super::{Arguments, ChildSnapshot, ChildSpec, Launch, Message, SUPERVISOR, StartRefused, Supervisor, oneshot};
use crate::supervision::{Fact, StopReason, What};

/// Talks to a supervisor. A clone talks to the same one.
#[derive(Clone, Debug)]
pub struct Handle {
    actor: ActorRef<Message>,
}

impl Handle {
    /// Starts a supervisor below another. For a [`super::StartFn`] that keeps the handle; otherwise
    /// [`ChildSpec::supervisor`] does it.
    ///
    /// # Errors
    /// It could not be started.
    pub async fn start_below(arguments: Arguments, above: ActorCell) -> Result<Self, SpawnErr> {
        let launch = Launch { arguments, ended: None };
        let (actor, _) = Actor::spawn_linked(None, Supervisor, launch, above).await?;
        Ok(Self { actor })
    }

    /// Starts one more child.
    ///
    /// # Errors
    /// [`StartRefused`].
    pub async fn start_child(&self, spec: ChildSpec) -> Result<ActorCell, StartRefused> {
        self.ask(|reply| Message::StartChild(spec, reply)).await.unwrap_or(Err(StartRefused::Ending))
    }

    /// Stops a child and waits for its end.
    pub async fn stop_child(&self, name: &str) {
        // Without an answer the supervisor has ended, and the child with it.
        _ = self.ask(|reply| Message::StopChild(name.to_owned(), reply)).await;
    }

    /// Stops everything below it in reverse order and then the supervisor, and waits for its end.
    pub async fn shut_down(&self, child_timeout: Duration) {
        _ = self.ask(|reply| Message::Shutdown { reply: Some(reply), child_timeout }).await;
        self.wait().await;
    }

    /// The answer comes from its last step; ractor's own clearing up is a moment later.
    async fn wait(&self) {
        // Without a bound there is no time-out to hear of.
        _ = self.actor.wait(None).await;
    }

    /// What its children are doing; none if it has ended.
    pub async fn inspect(&self) -> Vec<ChildSnapshot> {
        self.ask(Message::Inspect).await.unwrap_or_default()
    }

    /// Its cell.
    #[must_use]
    pub fn cell(&self) -> ActorCell {
        self.actor.get_cell()
    }

    async fn ask<T: Send + 'static>(&self, message: impl FnOnce(RpcReplyPort<T>) -> Message) -> Option<T> {
        match self.actor.call(message, None).await {
            Ok(CallResult::Success(answer)) => Some(answer),
            Ok(CallResult::Timeout | CallResult::SenderError) | Err(_) => None,
        }
    }
}

/// The supervisor at the top: nobody restarts it, so the process must hear of its end.
#[derive(Debug)]
pub struct Root {
    handle: Handle,
    ended: ractor::concurrency::OneshotReceiver<StopReason>,
    reason: Option<StopReason>,
}

/// Starts the tree.
///
/// # Errors
/// Two children have one name.
pub async fn start_root(arguments: Arguments) -> Result<Root, SpawnErr> {
    let (tell, ended) = oneshot();
    let (path, history) = (arguments.path.clone(), arguments.history.clone());
    let (actor, _) = Actor::spawn(None, Supervisor, Launch { arguments, ended: Some(tell) }).await?;
    history.record(Fact::now(path, SUPERVISOR, What::Started, "top of the tree"));
    Ok(Root { handle: Handle { actor }, ended, reason: None })
}

impl Root {
    /// Talks to it.
    #[must_use]
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Waits for its end: [`StopReason::Ordered`] after a shutdown, anything else means that the process has nothing
    /// left to do and should say so and end. May be given up and asked again.
    pub async fn ended(&mut self) -> StopReason {
        self.handle.wait().await;
        // It says so before it ends, unless it crashed.
        let said = self.ended.try_recv().ok();
        let crashed = || StopReason::Unexpected("the supervisor at the top crashed".to_owned());
        self.reason.get_or_insert_with(|| said.unwrap_or_else(crashed)).clone()
    }
}
