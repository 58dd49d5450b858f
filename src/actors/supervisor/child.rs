//! One child of a supervisor.

use std::time::Duration;

use futures::FutureExt;
use ractor::concurrency::JoinHandle;
use ractor::{ActorCell, ActorId, ActorRef, MessagingErr, RpcReplyPort, SpawnErr};

use super::{ChildSnapshot, ChildSpec, Message, SUPERVISOR};
use crate::supervision::restart::{Policy, Record};
use crate::supervision::{CauseClass, Crash, Status, StopReason};

pub(super) type Timer = JoinHandle<Result<(), MessagingErr<Message>>>;

/// A child that runs or will run again; one that ended for good is no child any more.
#[derive(Debug)]
pub(super) struct Child {
    pub(super) spec: ChildSpec,
    pub(super) record: Record,
    pub(super) restarts: u64,
    pub(super) life: Life,
}

#[derive(Debug)]
pub(super) enum Life {
    /// Being started, or about to be.
    Starting,
    Running(ActorCell),
    /// Crashed; `timer` is none if it is to be started at once.
    Waiting {
        /// How long it waits.
        after: Duration,
        pause: u64,
        cause: CauseClass,
        timer: Option<Timer>,
    },
    /// Told to end.
    Stopping {
        cell: ActorCell,
        waiters: Vec<RpcReplyPort<()>>,
        overdue: Option<Timer>,
    },
}

impl Child {
    pub(super) fn new(spec: ChildSpec) -> Self {
        Self { spec, record: Record::default(), restarts: 0, life: Life::Starting }
    }

    pub(super) fn is(&self, id: ActorId) -> bool {
        self.cell().is_some_and(|cell| cell.get_id() == id)
    }

    pub(super) fn cell(&self) -> Option<&ActorCell> {
        match &self.life {
            Life::Running(cell) | Life::Stopping { cell, .. } => Some(cell),
            Life::Starting | Life::Waiting { .. } => None,
        }
    }

    /// Tells it to end, unless it was told already; a supervisor by message, since a plain stop would leave it no time
    /// to stop its own children one by one.
    pub(super) fn tell_to_stop(&mut self, child_timeout: Duration) {
        if let Life::Running(cell) = &self.life {
            tell_to_stop(cell, child_timeout);
            self.life = Life::Stopping { cell: cell.clone(), waiters: Vec::new(), overdue: None };
        }
    }

    /// Bounds the wait for its end. Not for a supervisor, which bounds the wait for each of its own.
    pub(super) fn bound_stop(&mut self, me: &ActorRef<Message>, timeout: Duration) {
        if let Life::Stopping { cell, overdue: overdue @ None, .. } = &mut self.life
            && !is_supervisor(cell)
        {
            let id = cell.get_id();
            *overdue = Some(me.send_after(timeout, move || Message::Overdue(id)));
        }
    }

    /// Waits for its end; `false` if it takes longer. A supervisor is waited for without a bound, as in `bound_stop`.
    pub(super) async fn ends_within(&self, timeout: Duration) -> bool {
        match self.cell() {
            Some(cell) => cell.wait((!is_supervisor(cell)).then_some(timeout)).await.is_ok(),
            None => true,
        }
    }

    pub(super) fn snapshot(&self, policy: &Policy, now: Duration) -> ChildSnapshot {
        ChildSnapshot {
            name: self.spec.name.clone(),
            kind: self.spec.kind,
            status: match self.life {
                Life::Running(_) | Life::Stopping { .. } => Status::Running,
                Life::Starting | Life::Waiting { .. } => Status::BackingOff,
            },
            restarts: self.restarts,
            budget_left: self.record.budget_left(policy, now),
        }
    }

    /// It is gone: its timers end, and whoever waited for its end is told.
    pub(super) fn bury(self) {
        match self.life {
            Life::Waiting { timer, .. } => timer.iter().for_each(Timer::abort),
            Life::Stopping { waiters, overdue, .. } => {
                overdue.iter().for_each(Timer::abort);
                for waiter in waiters {
                    _ = waiter.send(());
                }
            }
            Life::Starting | Life::Running(_) => {}
        }
    }
}

pub(super) fn is_supervisor(cell: &ActorCell) -> bool {
    cell.is_message_type_of::<Message>() == Some(true)
}

pub(super) fn tell_to_stop(cell: &ActorCell, child_timeout: Duration) {
    if is_supervisor(cell) {
        // If it cannot be told it has ended, and its supervisor is about to hear so.
        _ = cell.send_message(Message::Shutdown { reply: None, child_timeout });
    } else {
        cell.stop(Some(StopReason::Ordered.to_string()));
    }
}

/// Starts an actor; too slow, an error and a panic are all crashes.
pub(super) async fn start(
    spec: &ChildSpec,
    above: ActorCell,
    timeout: Duration,
) -> Result<ActorCell, (CauseClass, String)> {
    let starting = std::panic::AssertUnwindSafe(async { (spec.start)(above).await }).catch_unwind();
    let started = if spec.kind == SUPERVISOR {
        starting.await
    } else {
        tokio::time::timeout(timeout, starting).await.map_err(|_| {
            let why = format!("did not start within {}", humantime::format_duration(timeout));
            (CauseClass::DependencyDown, why)
        })?
    };
    match started {
        Ok(Ok(cell)) => Ok(cell),
        Ok(Err(SpawnErr::StartupFailed(error))) => Err(Crash::read(error.as_ref())),
        Ok(Err(error)) => Err((CauseClass::Bug, error.to_string())),
        Err(_) => Err((CauseClass::Bug, "its start function panicked".to_owned())),
    }
}
