//! One live aggregate of any kind: loads, decides, appends, replies.
//!
//! Supervised by its shard. One append of its stream is on its way at most; the next command is decided after its answer.
//! A refusal, and "already so", is answered only from a state that the log has confirmed for this very command: it
//! appends nothing, so it never meets the conflict that would correct a stale state. Refusals are rare; the read is cheap.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, SpawnErr};
use sqlx::PgPool;
use tokio::sync::oneshot;

use super::mailbox::{Admission, Envelope, Mailbox, Permits, Refused};
use super::route::Route;
use super::writer::{self, WriteError};
use crate::commands::{CommandError, Lane, Receipt, Request};
use crate::contracts::{Position, PositionToken};
use crate::domain::{Aggregate, DomainEvent, Refusal};
use crate::event_store::{self, Append, Appended, NewEvent, Outcome, append};
use crate::supervision::Crash;
use crate::telemetry::event_store::Asked;
use crate::telemetry::trace::{self, Span};
use crate::{clock, faults, telemetry};

/// Kind of this actor.
pub const AGGREGATE: &str = "aggregate";
/// Tries of one command whose stream others change, too.
const TRIES: u32 = 5;
/// Pause asked of callers while the log cannot be written.
pub(super) const RETRY_AFTER: Duration = Duration::from_secs(1);
/// Events of one stream read at once.
const PAGE: i64 = 500;

/// An answer on its way.
pub type Reply = oneshot::Sender<Result<Receipt, CommandError>>;

/// What an aggregate can be told.
pub struct Execute<A: Aggregate> {
    /// What is asked.
    pub command: A::Command,
    /// What comes with it.
    pub request: Request,
    /// From here to its answer, in its trace.
    pub span: Span,
    /// Whoever waits.
    pub reply: Reply,
}

/// What is known of a stream.
#[derive(Clone, Debug)]
pub struct Known<A> {
    /// The fold of its events.
    pub state: A,
    /// Version of the last.
    pub version: i32,
    /// Position of the last.
    pub position: Position,
}

impl<A: Aggregate> Default for Known<A> {
    fn default() -> Self {
        Self { state: A::default(), version: 0, position: 0 }
    }
}

/// Where an aggregate leaves what it knows, so that its shard can keep it when the actor ends.
pub type Slot<A> = Arc<Mutex<Option<Known<A>>>>;

/// What all aggregates of a process share.
#[derive(Clone, Debug)]
pub struct Resources {
    /// Postgres, for reading.
    pub db: PgPool,
    /// The writer of each partition.
    pub writers: Arc<[Route<writer::Message>]>,
    /// Largest event, in bytes.
    pub event_bytes: usize,
    /// How many commands may wait for one aggregate.
    pub permits: Permits,
}

/// What one aggregate is made of.
pub struct Arguments<A: Aggregate> {
    /// Which.
    pub id: A::Id,
    /// Where its stream lives.
    pub partition: i16,
    /// What the warm map knew of it.
    pub known: Option<Known<A>>,
    /// Where it leaves what it knows.
    pub slot: Slot<A>,
    /// What it shares with others.
    pub resources: Resources,
}

/// What a live aggregate holds.
pub struct State<A: Aggregate> {
    stream_id: String,
    partition_key: String,
    partition: i16,
    known: Known<A>,
    slot: Slot<A>,
    resources: Resources,
}

struct Live<A>(std::marker::PhantomData<fn() -> A>);

/// Starts an aggregate below its shard.
///
/// # Errors
/// What ractor says.
pub async fn start<A: Aggregate>(arguments: Arguments<A>, shard: ActorCell) -> Result<Mailbox<Execute<A>>, SpawnErr> {
    let admission = Admission::new(AGGREGATE, arguments.resources.permits);
    let (actor, _) = Actor::spawn_linked(None, Live(std::marker::PhantomData), arguments, shard).await?;
    Ok(Mailbox::new(actor, admission))
}

impl<A: Aggregate> Actor for Live<A> {
    type Msg = Envelope<Execute<A>>;
    type State = State<A>;
    type Arguments = Arguments<A>;

    async fn pre_start(
        &self,
        _me: ActorRef<Self::Msg>,
        arguments: Arguments<A>,
    ) -> Result<State<A>, ActorProcessingErr> {
        Ok(State {
            stream_id: A::stream_id(&arguments.id),
            partition_key: arguments.id.to_string(),
            partition: arguments.partition,
            known: arguments.known.unwrap_or_default(),
            slot: arguments.slot,
            resources: arguments.resources,
        })
    }

    async fn handle(
        &self,
        _me: ActorRef<Self::Msg>,
        envelope: Self::Msg,
        state: &mut State<A>,
    ) -> Result<(), ActorProcessingErr> {
        let (Execute { command, request, span, reply }, handling) = envelope.open();
        faults::actor(AGGREGATE)?;
        span.moment("taken from the mailbox");
        let answer = state.execute(&command, &request, &span).await?;
        faults::actor("aggregate.appended")?;
        state.leave_known();
        let asked = Asked { aggregate: A::NAME, command: A::name_of(&command), stream_id: &state.stream_id };
        match &answer {
            Ok(receipt) => telemetry::event_store::command_accepted(asked, receipt.version, &request.meta, &span),
            Err(error) => telemetry::event_store::command_refused(asked, reason(error), &request.meta, &span),
        }
        // Its trace is told before whoever asked can look for it.
        drop(span);
        // Whoever asked may have given up.
        _ = reply.send(answer);
        handling.done();
        Ok(())
    }
}

/// What one try of a command came to.
enum Tried {
    Answered(Result<Receipt, CommandError>),
    /// Decide again, on what the log says now.
    Conflict,
}

impl<A: Aggregate> State<A> {
    /// Decides and appends until there is an answer.
    async fn execute(
        &mut self,
        command: &A::Command,
        request: &Request,
        span: &Span,
    ) -> Result<Result<Receipt, CommandError>, Crash> {
        let assumed_empty = A::creates(command) && self.known.version == 0;
        let mut confirmed = false;
        if self.known.version == 0 && !assumed_empty {
            match self.catch_up().await {
                Ok(()) => confirmed = true,
                Err(_) => return Ok(Err(unavailable())),
            }
        }
        // One round more than conflicts allow: the look before a refusal is not a conflict.
        for _ in 0..=TRIES {
            let decided = self.known.state.decide(command, clock::now());
            let appends_nothing = decided.as_ref().map_or(true, Vec::is_empty);
            if appends_nothing && !confirmed {
                match self.catch_up().await {
                    Ok(()) => confirmed = true,
                    Err(_) => return Ok(Err(unavailable())),
                }
                continue;
            }
            match decided {
                Err(refusal) => return Ok(self.refuse(command, &refusal, request).await),
                Ok(events) if events.is_empty() => return Ok(Ok(self.receipt(false))),
                Ok(events) => match self.append(&events, request, span).await? {
                    Tried::Answered(answer) => return Ok(answer),
                    Tried::Conflict if self.catch_up().await.is_err() => {
                        return Ok(Err(unavailable()));
                    }
                    Tried::Conflict => {}
                },
            }
        }
        Ok(Err(CommandError::Contended))
    }

    /// Reads what the log has beyond what is known.
    async fn catch_up(&mut self) -> sqlx::Result<()> {
        loop {
            let events = event_store::stream(&self.resources.db, &self.stream_id, self.known.version, PAGE).await?;
            let is_last = i64::try_from(events.len()).is_ok_and(|read| read < PAGE);
            for recorded in events {
                let event = A::Event::from_payload(&recorded.event_type, &recorded.payload)
                    .map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
                let state = std::mem::take(&mut self.known.state).evolve(&event);
                self.known = Known { state, version: recorded.version, position: recorded.position };
            }
            if is_last {
                return Ok(());
            }
        }
    }

    /// A refusal from a confirmed state. A create that is repeated meets its own first answer.
    async fn refuse(
        &self,
        command: &A::Command,
        refusal: &A::Refusal,
        request: &Request,
    ) -> Result<Receipt, CommandError> {
        if A::creates(command) && refusal.code() == A::already_exists(command).code() {
            let Ok(first) = event_store::stream(&self.resources.db, &self.stream_id, 0, 1).await else {
                return Err(unavailable());
            };
            if let Some(first) = first.first()
                && request.meta.request_hash.is_some()
                && first.meta().request_hash == request.meta.request_hash
            {
                return Ok(Receipt { token: first.token(), version: 1, appended: false });
            }
        }
        Err(CommandError::refused(refusal))
    }

    async fn append(&mut self, events: &[A::Event], request: &Request, span: &Span) -> Result<Tried, Crash> {
        let wanted = Append {
            append_id: clock::random_id(),
            stream_id: self.stream_id.clone(),
            partition: self.partition,
            partition_key: self.partition_key.clone(),
            expected_version: self.known.version,
            events: events.iter().map(NewEvent::from).collect(),
            meta: request.meta.to_json(),
        };
        if let Err(append::TooLarge { bytes, limit }) = append::check_size(&wanted, self.resources.event_bytes) {
            return Ok(Tried::Answered(Err(CommandError::TooLarge { bytes, limit })));
        }
        let span = trace::append(span, &self.stream_id, events.len());
        let answer = match self.send(wanted, request.lane, span) {
            Ok(answer) => answer,
            Err(error) => return Ok(Tried::Answered(Err(error))),
        };
        match answer.await {
            Ok(Ok(Outcome::Accepted(place))) => {
                self.accept(events, place);
                Ok(Tried::Answered(Ok(self.receipt(true))))
            }
            Ok(Ok(Outcome::Conflict)) => Ok(Tried::Conflict),
            Ok(Err(WriteError::Unavailable)) => Ok(Tried::Answered(Err(unavailable()))),
            Ok(Err(WriteError::Rejected(why))) => Err(Crash::bug(why)),
            // Lost with its writer: it may be in the log or not, so what is known here cannot be trusted.
            Err(_) => Err(Crash::dependency_down("the writer ended before it answered")),
        }
    }

    fn send(
        &self,
        append: Append,
        lane: Lane,
        span: Span,
    ) -> Result<oneshot::Receiver<Result<Outcome, WriteError>>, CommandError> {
        let (reply, answer) = oneshot::channel();
        let partition = usize::try_from(self.partition).expect("partitions are numbered from 0");
        match self.resources.writers[partition].try_send(lane, writer::Message::Append(append, span, reply)) {
            Ok(()) => Ok(answer),
            Err(Refused::Full(_)) => Err(CommandError::Overloaded { retry_after: RETRY_AFTER }),
            Err(Refused::Closed(_)) => Err(unavailable()),
        }
    }

    fn accept(&mut self, events: &[A::Event], place: Appended) {
        let count = i32::try_from(events.len()).expect("a decision has a few events");
        let state = events.iter().fold(std::mem::take(&mut self.known.state), A::evolve);
        self.known = Known {
            state,
            version: self.known.version + count,
            position: place.first_position + Position::from(count) - 1,
        };
    }

    fn receipt(&self, appended: bool) -> Receipt {
        let token = PositionToken { partition: self.partition, position: self.known.position };
        Receipt { token, version: self.known.version, appended }
    }

    fn leave_known(&self) {
        *self.slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(self.known.clone());
    }
}

pub(super) fn unavailable() -> CommandError {
    CommandError::Unavailable { retry_after: RETRY_AFTER }
}

fn reason(error: &CommandError) -> &'static str {
    match error {
        CommandError::Refused { code, .. } => code,
        CommandError::UnknownProducts(_) => "unknown_product",
        CommandError::TooLarge { .. } => "too_large",
        CommandError::Contended => "contended",
        CommandError::Overloaded { .. } => "overloaded",
        CommandError::Unavailable { .. } => "unavailable",
        CommandError::OutcomeUnknown { .. } => "outcome_unknown",
    }
}
