//! Publishes dead letters to `dlq.<consumer>`, under a lease, by their `published` flag.
//!
//! Supervised by `log`. A letter is flagged once the broker has acknowledged it, so it may appear twice, never not at all.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, SpawnErr};
use sqlx::PgPool;
use uuid::Uuid;

use super::mailbox::{Admission, Envelope, Permits};
use super::supervisor::ChildSpec;
use crate::contracts::topics;
use crate::faults;
use crate::kafka::{InFlight, Publisher, Record, Topics};
use crate::subscription::Lane;
use crate::subscription::checkpoint::{self, LOG};
use crate::subscription::dead_letter::{self, DeadLetter};
use crate::supervision::Crash;
use crate::telemetry::trace::Span;

/// Kind of this actor, and name of its lease.
pub const DEAD_LETTER_PUBLISHER: &str = "dead_letter_publisher";
/// Letters published at once.
const PAGE: i64 = 200;
/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(500);
/// Longest wait for the broker's acknowledgements.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the publisher is made of.
#[derive(Clone, Debug)]
pub struct Arguments {
    /// Who holds the lease: this process.
    pub owner: Uuid,
    /// How long the lease lasts.
    pub lease: Duration,
    /// The process' producer.
    pub publisher: Arc<Publisher>,
    /// The topics.
    pub topics: Topics,
    /// Postgres.
    pub db: PgPool,
}

/// What it tells itself.
#[derive(Clone, Copy, Debug)]
pub enum Message {
    /// Look for letters.
    Look,
}

/// What it holds.
pub struct State {
    arguments: Arguments,
    admission: Admission,
    lane: Lane,
}

struct DeadLetterPublisher;

/// The child that publishes dead letters.
#[must_use]
pub fn spec(arguments: Arguments) -> ChildSpec {
    ChildSpec::new("dead-letters", DEAD_LETTER_PUBLISHER, move |above| start(arguments.clone(), above)).independent()
}

async fn start(arguments: Arguments, above: ActorCell) -> Result<ActorCell, SpawnErr> {
    let admission = Admission::new(DEAD_LETTER_PUBLISHER, Permits { callers: 0, consumers: 0 });
    let (actor, _) = Actor::spawn_linked(None, DeadLetterPublisher, (arguments, admission.clone()), above).await?;
    // It can only fail if the actor has ended already, which its supervisor hears.
    _ = actor.send_message(admission.control(Message::Look));
    Ok(actor.get_cell())
}

impl Actor for DeadLetterPublisher {
    type Msg = Envelope<Message>;
    type State = State;
    type Arguments = (Arguments, Admission);

    async fn pre_start(
        &self,
        _me: ActorRef<Self::Msg>,
        (arguments, admission): Self::Arguments,
    ) -> Result<State, ActorProcessingErr> {
        let lane = Lane { subscription: DEAD_LETTER_PUBLISHER.to_owned(), source: LOG.to_owned(), partition: 0 };
        Ok(State { arguments, admission, lane })
    }

    async fn handle(
        &self,
        me: ActorRef<Self::Msg>,
        envelope: Self::Msg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        let (Message::Look, handling) = envelope.open();
        faults::actor(DEAD_LETTER_PUBLISHER)?;
        let pause = state.publish().await?;
        handling.done();
        let admission = state.admission.clone();
        me.send_after(pause, move || admission.control(Message::Look));
        Ok(())
    }
}

impl State {
    /// Publishes what is there; answers with the pause before the next look.
    async fn publish(&self) -> Result<Duration, Crash> {
        let Arguments { owner, lease, publisher, topics, db } = &self.arguments;
        let held = checkpoint::claim_lease(&self.lane, *owner, *lease, db).await.map_err(Crash::dependency_down)?;
        if held.is_none() {
            return Ok(*lease / 2);
        }
        let letters = dead_letter::unpublished(PAGE, db).await.map_err(Crash::dependency_down)?;
        if letters.is_empty() {
            return Ok(PAUSE);
        }
        topics.with_letters_of(letters.iter().map(|letter| letter.subscription.as_str())).await;
        topics.ensure().await.map_err(Crash::dependency_down)?;
        let producer = publisher.current().map_err(Crash::dependency_down)?;
        let window = InFlight::after(0);
        for (number, letter) in (1..).zip(&letters) {
            window.expect(number, 1);
            producer.send(&record(letter), number, &window).map_err(Crash::dependency_down)?;
        }
        let deadline = Instant::now() + PATIENCE;
        while !window.is_empty() {
            if let Some(why) = window.failure() {
                return Err(Crash::dependency_down(why));
            }
            if Instant::now() > deadline {
                return Err(Crash::dependency_down("the broker acknowledged no dead letter in time"));
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        dead_letter::mark_published(&letters, db).await.map_err(Crash::dependency_down)?;
        Ok(Duration::from_millis(1))
    }
}

/// Most bytes of a record, key, value and headers together, that every broker takes as it comes from the box. Events of
/// ours are smaller; somebody else's record, with our headers on top, need not be.
const RECORD_BYTES: usize = 950_000;
/// Header of a record whose value would have been too big: its size. The row has the value.
const OMITTED: &str = "dlq-value-omitted";

/// One that is too big goes without its value: it must not keep all other letters from their topics.
fn record(letter: &DeadLetter) -> Record {
    let mut headers = letter.headers();
    let size = |bytes: Option<&Vec<u8>>| bytes.map_or(0, Vec::len);
    let of_headers: usize = headers.iter().map(|(name, value)| name.len() + size(value.as_ref())).sum();
    let mut value = letter.payload.clone();
    if of_headers + size(letter.record_key.as_ref()) + size(value.as_ref()) > RECORD_BYTES {
        let bytes = size(value.take().as_ref()).to_string();
        headers.retain(|(name, value)| name.starts_with("dlq-") || size(value.as_ref()) < 1_024);
        headers.push((OMITTED.to_owned(), Some(bytes.into_bytes())));
    }
    Record {
        topic: topics::dead_letters_of(&letter.subscription),
        partition: None,
        key: letter.record_key.clone().filter(|key| key.len() < RECORD_BYTES / 2),
        value,
        headers,
        at: letter.last_failed_at,
        span: Span::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;
    use crate::subscription::Failure;
    use crate::subscription::dead_letter::Verdict;
    use crate::subscription::{Record as Received, attempts::Attempt};

    fn letter(bytes: usize) -> DeadLetter {
        let lane = Lane { subscription: "inventory".to_owned(), source: "order.events".to_owned(), partition: 0 };
        let now = clock::now();
        let attempt = Attempt { tries: 1, attempts: 1, deaths: 0, first_failed_at: now, last_failed_at: now };
        let verdict = Verdict::on(&Failure::poison("no event"), &lane, &attempt);
        let received = Received { value: Some(vec![b'x'; bytes]), ..Received::default() };
        DeadLetter::of_foreign(clock::new_id(), &lane, &received, verdict)
    }

    #[test]
    fn a_letter_too_big_for_a_record_goes_without_its_value_and_says_so() {
        let whole = record(&letter(900 * 1024));
        assert_eq!(whole.value.map(|value| value.len()), Some(900 * 1024));
        assert!(whole.headers.iter().all(|(name, _)| name != OMITTED));
        let cut = record(&letter(1_030_000));
        assert_eq!(cut.value, None);
        assert!(cut.headers.contains(&(OMITTED.to_owned(), Some(b"1030000".to_vec()))));
        assert!(cut.headers.iter().any(|(name, _)| name == "dlq-id"));
    }
}
