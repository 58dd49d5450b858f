//! What a supervisor knows and does: its children, and how it ends.

use std::time::{Duration, Instant};

use ractor::concurrency::OneshotSender;
use ractor::{ActorCell, ActorId, ActorRef, RpcReplyPort};

use super::child::{self, Child, Life};
use super::{Arguments, ChildSnapshot, ChildSpec, Launch, Message, SUPERVISOR, StartRefused};
use crate::supervision::restart::{Decision, Verdict};
use crate::supervision::{CauseClass, Fact, StopReason, What};
use crate::telemetry;

const BY_ORDER: &str = "its supervisor told it to";

/// How a child ended.
#[derive(Debug)]
pub(super) enum Exit {
    Normal(StopReason),
    Crashed(CauseClass, String),
}

impl From<StopReason> for Exit {
    fn from(reason: StopReason) -> Self {
        match reason {
            StopReason::Done | StopReason::Ordered => Self::Normal(reason),
            StopReason::Escalated(why) | StopReason::Unexpected(why) => Self::Crashed(CauseClass::Bug, why),
        }
    }
}

#[derive(Debug)]
struct Ending {
    reason: StopReason,
    child_timeout: Duration,
    waiters: Vec<RpcReplyPort<()>>,
}

#[derive(Debug)]
pub(super) struct State {
    arguments: Arguments,
    /// In start order; those that ended for good are not among them.
    children: Vec<Child>,
    ending: Option<Ending>,
    /// Records count from here.
    since: Instant,
    pauses: u64,
    ended: Option<OneshotSender<StopReason>>,
}

impl State {
    pub(super) fn new(launch: Launch) -> Self {
        Self {
            arguments: launch.arguments,
            children: Vec::new(),
            ending: None,
            since: Instant::now(),
            pauses: 0,
            ended: launch.ended,
        }
    }

    /// Starts a child that is not there yet.
    pub(super) async fn add(&mut self, me: &ActorRef<Message>, spec: ChildSpec) -> Result<ActorCell, StartRefused> {
        if self.ending.is_some() {
            return Err(StartRefused::Ending);
        }
        if self.children.iter().any(|child| child.spec.name == spec.name) {
            return Err(StartRefused::NameTaken);
        }
        self.children.push(Child::new(spec));
        self.start(me, self.children.len() - 1, None).await.map_err(StartRefused::Failed)
    }

    /// The pause of a child is over. Not if the child was stopped meanwhile, or everything is.
    pub(super) async fn retry(&mut self, me: &ActorRef<Message>, name: &str, pause: u64) {
        let due = self.children.iter().position(|child| child.spec.name == name);
        if let Some(at) = due
            && let Life::Waiting { pause: current, cause, after, .. } = self.children[at].life
            && current == pause
        {
            // How it went is a fact already, and nobody waits for an answer.
            _ = self.start(me, at, Some((cause, after))).await;
        }
    }

    /// Starts the child at `at`, after a crash of that class and a pause, or for the first time.
    async fn start(
        &mut self,
        me: &ActorRef<Message>,
        at: usize,
        after: Option<(CauseClass, Duration)>,
    ) -> Result<ActorCell, String> {
        self.children[at].life = Life::Starting;
        match child::start(&self.children[at].spec, me.get_cell(), self.arguments.start_timeout).await {
            Ok(cell) => {
                let now = self.since.elapsed();
                let child = &mut self.children[at];
                child.life = Life::Running(cell.clone());
                child.restarts += u64::from(after.is_some());
                let left = child.record.budget_left(&self.arguments.policy, now);
                self.record(at, |fact| match after {
                    None => fact(What::Started, "its turn came").budget_left(left),
                    Some((class, pause)) => {
                        fact(What::Restarted, "after a crash").cause(class).backoff(pause).budget_left(left)
                    }
                });
                Ok(cell)
            }
            Err((class, why)) => {
                self.stop_strays(me);
                self.crashed(me, at, class, &why);
                Err(why)
            }
        }
    }

    /// A start that failed after its actor ran would leave that actor beside the next one.
    fn stop_strays(&self, me: &ActorRef<Message>) {
        let is_known = |cell: &ActorCell| self.children.iter().any(|child| child.is(cell.get_id()));
        for stray in me.get_cell().get_children().iter().filter(|cell| !is_known(cell)) {
            child::tell_to_stop(stray, self.arguments.stop_timeout);
        }
    }

    /// A child ended, for whichever reason.
    pub(super) fn child_ended(&mut self, me: &ActorRef<Message>, id: ActorId, exit: Exit) {
        let Some(at) = self.children.iter().position(|child| child.is(id)) else {
            return;
        };
        let was_told = matches!(self.children[at].life, Life::Stopping { .. });
        match exit {
            Exit::Normal(reason) => {
                let why = if was_told { BY_ORDER.to_owned() } else { reason.to_string() };
                self.record(at, |fact| fact(What::Stopped, &why));
                self.children.remove(at).bury();
            }
            Exit::Crashed(class, why) if was_told || self.ending.is_some() => {
                self.record(at, |fact| fact(What::Crashed, &why).cause(class));
                self.children.remove(at).bury();
            }
            Exit::Crashed(class, why) => self.crashed(me, at, class, &why),
        }
        self.stop_next(me);
    }

    fn crashed(&mut self, me: &ActorRef<Message>, at: usize, class: CauseClass, why: &str) {
        let now = self.since.elapsed();
        let child = &mut self.children[at];
        let Verdict { decision, budget_left } =
            child.record.decide(&self.arguments.policy, class, now, rand::random::<f64>());
        self.record(at, |fact| fact(What::Crashed, why).cause(class).budget_left(budget_left));
        match decision {
            Decision::RestartNow => self.wait_to_start(me, at, class, None),
            Decision::RestartAfter(pause) => {
                self.record(at, |fact| {
                    fact(What::BackingOff, why).cause(class).backoff(pause).budget_left(budget_left)
                });
                self.wait_to_start(me, at, class, Some(pause));
            }
            Decision::Escalate => self.escalate(me, at, class, why),
        }
    }

    /// The start comes as a message in any case: whatever was sent before it, an order to end above all, comes first.
    fn wait_to_start(&mut self, me: &ActorRef<Message>, at: usize, cause: CauseClass, after: Option<Duration>) {
        self.pauses += 1;
        let pause = self.pauses;
        let name = self.children[at].spec.name.clone();
        let retry = move || Message::Retry { name, pause };
        let timer = match after {
            Some(after) => Some(me.send_after(after, retry)),
            None => {
                // It can only fail while this actor is ending, and then nothing is started any more.
                _ = me.send_message(retry());
                None
            }
        };
        self.children[at].life = Life::Waiting { after: after.unwrap_or_default(), pause, cause, timer };
    }

    fn escalate(&mut self, me: &ActorRef<Message>, at: usize, class: CauseClass, why: &str) {
        let child = self.children.remove(at);
        let policy = &self.arguments.policy;
        let why = format!(
            "{} crashed more often than {} times within {}, last because: {why}",
            child.spec.name,
            policy.max_restarts,
            humantime::format_duration(policy.window),
        );
        child.bury();
        let fact = Fact::now(self.arguments.path.clone(), SUPERVISOR, What::Escalated, &why).cause(class);
        self.arguments.history.record(fact);
        self.end(me, StopReason::Escalated(why), self.arguments.stop_timeout);
    }

    pub(super) fn stop_child(&mut self, me: &ActorRef<Message>, name: &str, reply: RpcReplyPort<()>) {
        let Some(at) = self.children.iter().position(|child| child.spec.name == name) else {
            _ = reply.send(());
            return;
        };
        self.children[at].tell_to_stop(self.arguments.stop_timeout);
        if let Life::Stopping { waiters, .. } = &mut self.children[at].life {
            waiters.push(reply);
        } else {
            self.record(at, |fact| fact(What::Stopped, BY_ORDER));
            self.children.remove(at).bury();
            _ = reply.send(());
            self.stop_next(me);
        }
    }

    pub(super) fn shut_down(
        &mut self,
        me: &ActorRef<Message>,
        reply: Option<RpcReplyPort<()>>,
        child_timeout: Duration,
    ) {
        if self.ending.is_none() {
            self.end(me, StopReason::Ordered, child_timeout);
        }
        if let Some(ending) = &mut self.ending {
            ending.waiters.extend(reply);
        }
    }

    /// Begins to end: what waits to be started is not started any more, the rest is stopped in reverse order.
    fn end(&mut self, me: &ActorRef<Message>, reason: StopReason, child_timeout: Duration) {
        self.ending = Some(Ending { reason, child_timeout, waiters: Vec::new() });
        while let Some(at) = self.children.iter().rposition(|child| child.cell().is_none()) {
            self.record(at, |fact| fact(What::Stopped, "its supervisor ends before it was started again"));
            self.children.remove(at).bury();
        }
        self.stop_next(me);
    }

    /// While ending: stops the children whose turn it is, or itself after the first.
    fn stop_next(&mut self, me: &ActorRef<Message>) {
        let Some(ending) = &self.ending else { return };
        if self.children.is_empty() {
            me.stop(Some(ending.reason.to_string()));
        }
        let turn = self.next_to_stop();
        for child in &mut self.children[turn..] {
            child.tell_to_stop(ending.child_timeout);
            child.bound_stop(me, ending.child_timeout);
        }
    }

    /// From here on children are stopped next: the last one, with the independent ones before it if it is independent.
    fn next_to_stop(&self) -> usize {
        let independent = self.children.iter().rev().take_while(|child| child.spec.is_independent).count();
        self.children.len().saturating_sub(independent.max(1))
    }

    /// A child did not end in time. It is never killed, but neither is it waited for any longer.
    pub(super) fn let_go(&mut self, me: &ActorRef<Message>, id: ActorId) {
        let Some(at) = self.children.iter().position(|child| child.is(id)) else {
            return;
        };
        if let Some(cell) = self.children[at].cell() {
            cell.unlink(me.get_cell());
        }
        self.overdue(at);
        self.children.remove(at).bury();
        self.stop_next(me);
    }

    /// Whoever stopped this actor without asking it to shut down: its children still end in order and are not killed.
    pub(super) async fn stop_what_is_left(&mut self, me: &ActorRef<Message>) {
        let timeout = self.ending.as_ref().map_or(self.arguments.stop_timeout, |ending| ending.child_timeout);
        while !self.children.is_empty() {
            let turn = self.next_to_stop();
            for child in &mut self.children[turn..] {
                child.tell_to_stop(timeout);
            }
            let ends = self.children[turn..].iter().map(|child| child.ends_within(timeout));
            let ended = futures::future::join_all(ends).await;
            for (at, ended) in (turn..self.children.len()).zip(ended).rev() {
                if ended {
                    self.record(at, |fact| fact(What::Stopped, BY_ORDER));
                } else {
                    self.children[at].cell().iter().for_each(|cell| cell.unlink(me.get_cell()));
                    self.overdue(at);
                }
            }
            self.children.drain(turn..).for_each(Child::bury);
        }
    }

    /// The child at `at` is not waited for any longer.
    fn overdue(&self, at: usize) {
        let spec = &self.children[at].spec;
        let path = self.arguments.path.child(&spec.name);
        telemetry::supervision::overdue(telemetry::supervision::Actor { path: path.as_str(), kind: spec.kind });
        self.record(at, |fact| {
            fact(What::Stopped, "did not end in time; it ends by itself with the message it is handling")
        });
    }

    /// Everything below has ended: says so to whoever waits.
    pub(super) fn say_goodbye(&mut self) {
        let (reason, waiters) = match self.ending.take() {
            Some(ending) => (ending.reason, ending.waiters),
            None => (StopReason::Ordered, Vec::new()),
        };
        if let Some(ended) = self.ended.take() {
            if reason.is_normal() {
                let path = self.arguments.path.clone();
                self.arguments.history.record(Fact::now(path, SUPERVISOR, What::Stopped, &reason.to_string()));
            }
            // Nobody need listen.
            _ = ended.send(reason);
        }
        for waiter in waiters {
            _ = waiter.send(());
        }
    }

    pub(super) fn snapshot(&self) -> Vec<ChildSnapshot> {
        let now = self.since.elapsed();
        self.children.iter().map(|child| child.snapshot(&self.arguments.policy, now)).collect()
    }

    /// Records a fact about the child at `at`.
    fn record(&self, at: usize, make: impl FnOnce(&dyn Fn(What, &str) -> Fact) -> Fact) {
        let spec = &self.children[at].spec;
        let path = self.arguments.path.child(&spec.name);
        self.arguments.history.record(make(&|what, why| Fact::now(path.clone(), spec.kind, what, why)));
    }
}
