//! A writer group-commits the appends of its partitions: while one batch is on its way the next collects; no timer.
//!
//! Supervised by `log`. It is stopped, never killed, while a batch is on its way: the flight itself answers whoever waits
//! and rings the bell, so an answer is never lost with the actor. After a lost connection the *same* batch is sent again.

use std::collections::{HashSet, VecDeque};
use std::time::{Duration, Instant};

use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, SpawnErr};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, PgConnection};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::mailbox::{Admission, Envelope, Handling, Mailbox, Permits};
use super::route::Route;
use super::supervisor::ChildSpec;
use crate::event_store::{Append, AppendError, Appended, Bell, Config, Outcome, Pressure, append};
use crate::faults::{self, Defect};
use crate::postgres::{self, Fault};
use crate::telemetry::trace::Span;
use crate::{clock, telemetry};

/// Kind of this actor.
pub const WRITER: &str = "writer";
/// First and longest pause between two looks for a Postgres that is away.
const RETRY: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));

/// What a writer needs.
#[derive(Clone, Debug)]
pub struct Arguments {
    /// Its number.
    pub number: usize,
    /// Where others find it.
    pub route: Route<Message>,
    /// How to connect: it has a connection of its own.
    pub connect: PgConnectOptions,
    /// How it commits.
    pub config: Config,
    /// Rung after each commit.
    pub bell: Bell,
    /// Told how long appends wait.
    pub pressure: Pressure,
}

/// Where the outcome of one append goes.
pub type Reply = oneshot::Sender<Result<Outcome, WriteError>>;

/// What a writer can be told.
#[derive(Debug)]
pub enum Message {
    /// Make this durable; its span ends with it.
    Append(Append, Span, Reply),
    /// From itself: the batch has been answered; its connection, if it is still good.
    Landed(Option<Box<PgConnection>>),
}

/// Why an append was not written. What was not answered at all is of unknown outcome.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// Postgres cannot be written; nothing was done.
    #[error("Postgres cannot be written")]
    Unavailable,
    /// Postgres refuses the data; nothing was done.
    #[error("Postgres refuses the event: {0}")]
    Rejected(String),
}

struct Pending {
    append: Append,
    waiting: Waiting,
    since: Instant,
}

/// Whoever waits for one append.
struct Waiting {
    reply: Reply,
    handling: Handling,
    span: Span,
}

impl Waiting {
    /// As it is, or with a planted defect one that has been answered already.
    fn early(self) -> Self {
        Self { reply: early(self.reply), ..self }
    }

    fn answer(self, outcome: Result<Outcome, WriteError>) {
        let is_written = outcome.is_ok();
        telemetry::event_store::append_answered(
            &self.span,
            outcome.as_ref().map(|outcome| *outcome == Outcome::Conflict),
        );
        drop(self.span);
        // Whoever asked may have given up; what is durable is durable all the same.
        _ = self.reply.send(outcome);
        if is_written {
            self.handling.done();
        }
    }
}

/// What a writer holds.
pub struct State {
    arguments: Arguments,
    admission: Admission,
    pending: VecDeque<Pending>,
    connection: Option<Box<PgConnection>>,
    flight: Option<JoinHandle<()>>,
}

struct Writer;

/// The child that serves as writer `arguments.number`.
#[must_use]
pub fn spec(arguments: Arguments) -> ChildSpec {
    ChildSpec::new(format!("writer-{}", arguments.number), WRITER, move |above| start(arguments.clone(), above))
        .independent()
}

async fn start(arguments: Arguments, above: ActorCell) -> Result<ActorCell, SpawnErr> {
    let permits = Permits { callers: arguments.config.writer_permits, consumers: arguments.config.consumer_permits };
    let admission = Admission::new(WRITER, permits);
    let route = arguments.route.clone();
    let (actor, _) = Actor::spawn_linked(None, Writer, (arguments, admission.clone()), above).await?;
    route.lead_to(Mailbox::new(actor.clone(), admission));
    Ok(actor.get_cell())
}

impl Actor for Writer {
    type Msg = Envelope<Message>;
    type State = State;
    type Arguments = (Arguments, Admission);

    async fn pre_start(
        &self,
        _me: ActorRef<Self::Msg>,
        (arguments, admission): Self::Arguments,
    ) -> Result<State, ActorProcessingErr> {
        Ok(State { arguments, admission, pending: VecDeque::new(), connection: None, flight: None })
    }

    async fn handle(
        &self,
        me: ActorRef<Self::Msg>,
        envelope: Self::Msg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        let (message, handling) = envelope.open();
        match message {
            Message::Append(append, span, reply) => {
                faults::actor(WRITER)?;
                let waiting = Waiting { reply, handling, span };
                state.pending.push_back(Pending { append, waiting, since: Instant::now() });
            }
            Message::Landed(connection) => {
                state.connection = connection;
                state.flight = None;
                handling.done();
            }
        }
        state.take_off(&me);
        Ok(())
    }

    async fn post_stop(&self, _me: ActorRef<Self::Msg>, state: &mut State) -> Result<(), ActorProcessingErr> {
        if let Some(flight) = state.flight.take() {
            // Its answers are its own; only its end is waited for. A panic there has been said by its dropped replies.
            _ = flight.await;
        }
        Ok(())
    }
}

impl State {
    fn take_off(&mut self, me: &ActorRef<Envelope<Message>>) {
        if self.flight.is_some() || self.pending.is_empty() {
            return;
        }
        let batch = self.next_batch();
        if let Some(oldest) = batch.first() {
            let wait = oldest.since.elapsed();
            self.arguments.pressure.waited(wait);
            telemetry::event_store::set_out(self.arguments.number, batch.len(), wait);
        }
        let flight = Flight { arguments: self.arguments.clone(), connection: self.connection.take() };
        let (me, admission) = (me.clone(), self.admission.clone());
        #[expect(clippy::disallowed_methods, reason = "the flight outlives a stop of its actor, so that it can answer")]
        let task = tokio::spawn(async move {
            let connection = flight.fly(batch).await;
            // A writer that has ended needs no connection.
            _ = me.send_message(admission.control(Message::Landed(connection)));
        });
        self.flight = Some(task);
    }

    /// The oldest appends up to the caps, one a stream: two appends of one version would conflict for ever.
    fn next_batch(&mut self) -> Vec<Pending> {
        let config = &self.arguments.config;
        let (mut batch, mut later) = (Vec::new(), VecDeque::new());
        let mut streams = HashSet::new();
        let (mut events, mut bytes) = (0, 0);
        while let Some(pending) = self.pending.pop_front() {
            let size = pending.append.size();
            let is_full = !batch.is_empty()
                && (events + pending.append.events.len() > config.batch_events || bytes + size > config.batch_bytes);
            if is_full {
                later.push_back(pending);
                break;
            }
            if streams.insert(pending.append.stream_id.clone()) {
                events += pending.append.events.len();
                bytes += size;
                batch.push(pending);
            } else {
                later.push_back(pending);
            }
        }
        later.append(&mut self.pending);
        self.pending = later;
        batch
    }
}

/// The reply as it is, or with a planted defect one that has been given already.
fn early(reply: Reply) -> Reply {
    if !faults::planted(Defect::AnswerBeforeCommit) {
        return reply;
    }
    _ = reply.send(Ok(guessed()));
    oneshot::channel().0
}

/// The outcome as it is, or with a planted defect an acceptance of what conflicted.
fn told(outcome: Outcome) -> Outcome {
    let swallowed = outcome == Outcome::Conflict && faults::planted(Defect::ConflictSwallowed);
    if swallowed { guessed() } else { outcome }
}

fn guessed() -> Outcome {
    Outcome::Accepted(Appended { first_position: 1, recorded_at: clock::now() })
}

/// One batch on its way.
struct Flight {
    arguments: Arguments,
    connection: Option<Box<PgConnection>>,
}

/// What Postgres said of a batch.
enum Answer {
    Outcomes(Vec<Outcome>),
    Refused(WriteError),
    Lost(String),
    Again,
}

impl Flight {
    /// Until there is an answer. The connection comes back if it is still good.
    async fn fly(mut self, batch: Vec<Pending>) -> Option<Box<PgConnection>> {
        let (appends, waiting): (Vec<Append>, Vec<Waiting>) =
            batch.into_iter().map(|pending| (pending.append, pending.waiting.early())).unzip();
        for one in &waiting {
            one.span.moment("its batch sets out");
            one.span.number("ordo.batch", appends.len());
        }
        let started = Instant::now();
        match self.write(&appends).await {
            Ok(outcomes) => {
                faults::point("writer.committed");
                self.land(appends, &outcomes, started.elapsed());
                for (one, outcome) in waiting.into_iter().zip(outcomes) {
                    one.answer(Ok(told(outcome)));
                }
            }
            Err(WriteError::Rejected(_)) if appends.len() > 1 => self.one_by_one(appends, waiting).await,
            Err(error) => {
                for one in waiting {
                    one.answer(Err(error.clone()));
                }
            }
        }
        self.connection
    }

    /// One of the batch is refused by Postgres: each alone, so that only that one is.
    async fn one_by_one(&mut self, appends: Vec<Append>, waiting: Vec<Waiting>) {
        for (append, one) in appends.into_iter().zip(waiting) {
            let started = Instant::now();
            let alone = [append];
            let outcome = self.write(&alone).await;
            if let Ok(outcomes) = &outcome {
                self.land(alone.to_vec(), outcomes, started.elapsed());
            }
            one.answer(outcome.map(|outcomes| told(outcomes[0])));
        }
    }

    async fn write(&mut self, appends: &[Append]) -> Result<Vec<Outcome>, WriteError> {
        let number = self.arguments.number;
        let (mut pause, longest) = RETRY;
        let mut unknown = false;
        loop {
            match self.attempt(appends).await {
                Answer::Outcomes(outcomes) => return Ok(outcomes),
                Answer::Refused(error) if !unknown => return Err(error),
                Answer::Again => {}
                Answer::Lost(why) => {
                    unknown = true;
                    telemetry::event_store::resent(number, &why);
                }
                // Something was sent before whose outcome nobody knows: only Postgres itself can end the doubt.
                Answer::Refused(_) => {}
            }
            sleep(pause.mul_f64(0.5 + rand::random::<f64>() / 2.0)).await;
            pause = (pause * 2).min(longest);
        }
    }

    async fn attempt(&mut self, appends: &[Append]) -> Answer {
        let limit = self.arguments.config.commit_timeout;
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => match timeout(limit, self.arguments.connect.connect()).await {
                Ok(Ok(connection)) => Box::new(connection),
                Ok(Err(error)) => return self.unavailable(&error.to_string()),
                Err(_) => return self.unavailable("no connection in time"),
            },
        };
        faults::point("writer.before_commit");
        // The server's own time-out comes first; ours is for a connection that has gone silent.
        let Ok(outcome) = timeout(limit * 2, append::batch(&mut connection, appends)).await else {
            return Answer::Lost("no answer in time".into());
        };
        match outcome {
            Ok(outcomes) => {
                self.arguments.pressure.wrote();
                self.connection = Some(connection);
                Answer::Outcomes(outcomes)
            }
            Err(AppendError::Corrupt(why)) => {
                telemetry::alarm::raise(telemetry::alarm::LOG_CORRUPT, "log", &why);
                Answer::Refused(WriteError::Unavailable)
            }
            Err(AppendError::Postgres(error)) => match postgres::classify(&error) {
                Fault::Lost => Answer::Lost(error.to_string()),
                Fault::Contended | Fault::VersionTaken | Fault::StockTaken => {
                    self.connection = Some(connection);
                    Answer::Again
                }
                Fault::Rejected => {
                    self.connection = Some(connection);
                    Answer::Refused(WriteError::Rejected(error.to_string()))
                }
                Fault::Unavailable | Fault::Broken | Fault::PositionTaken => self.unavailable(&error.to_string()),
            },
        }
    }

    fn unavailable(&self, why: &str) -> Answer {
        self.arguments.pressure.failed(why);
        telemetry::event_store::unavailable(self.arguments.number, why);
        Answer::Refused(WriteError::Unavailable)
    }

    fn land(&self, appends: Vec<Append>, outcomes: &[Outcome], took: Duration) {
        let conflicts = outcomes.iter().filter(|outcome| **outcome == Outcome::Conflict).count();
        if conflicts > 0 {
            telemetry::event_store::conflicted(conflicts);
        }
        let accepted = appends.into_iter().zip(outcomes).filter_map(|(append, outcome)| match outcome {
            Outcome::Accepted(place) => Some(append.recorded(*place)),
            Outcome::Conflict => None,
        });
        let events: Vec<_> = accepted.flatten().collect();
        telemetry::event_store::committed(self.arguments.number, events.len(), took);
        self.arguments.bell.ring_all(events);
    }
}
