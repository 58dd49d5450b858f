//! Looks at what nobody else can tell while those concerned are down: how far the log goes, how far behind it the relay
//! and the log-fed views are, whether consumers catch up, how old the oldest transaction is, how full the pool.
//!
//! Supervised by the root. Nothing waits for it. Every process looks, so that any ops listener shows these figures.

use std::collections::BTreeMap;
use std::time::Duration;

use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, SpawnErr};
use sqlx::PgPool;

use super::dead_letter_publisher::DEAD_LETTER_PUBLISHER;
use super::mailbox::{Admission, Envelope, Permits};
use super::relay::RELAY;
use super::supervisor::ChildSpec;
use crate::contracts::Position;
use crate::subscription::checkpoint::{self, Checkpoint, LOG};
use crate::subscription::lag;
use crate::telemetry::rings;
use crate::{clock, event_store, faults, postgres, telemetry};

/// Kind of this actor.
pub const OBSERVER: &str = "observer";
/// Pause between two looks: the finest of the rings has a point a second.
const PAUSE: Duration = Duration::from_secs(1);

/// What the observer is made of.
#[derive(Clone, Debug)]
pub struct Arguments {
    /// Most connections of the pool.
    pub pool: u32,
    /// Postgres.
    pub db: PgPool,
}

/// What it tells itself.
#[derive(Clone, Copy, Debug)]
pub enum Message {
    /// Look.
    Look,
}

struct Observer;

/// The child that looks.
#[must_use]
pub fn spec(arguments: Arguments) -> ChildSpec {
    ChildSpec::new(OBSERVER, OBSERVER, move |above| start(arguments.clone(), above))
}

async fn start(arguments: Arguments, above: ActorCell) -> Result<ActorCell, SpawnErr> {
    let admission = Admission::new(OBSERVER, Permits { callers: 0, consumers: 0 });
    let (actor, _) = Actor::spawn_linked(None, Observer, (arguments, admission.clone()), above).await?;
    // It can only fail if the actor has ended already, which its supervisor hears.
    _ = actor.send_message(admission.control(Message::Look));
    Ok(actor.get_cell())
}

impl Actor for Observer {
    type Msg = Envelope<Message>;
    type State = (Arguments, Admission);
    type Arguments = (Arguments, Admission);

    async fn pre_start(
        &self,
        _me: ActorRef<Self::Msg>,
        arguments: Self::Arguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        Ok(arguments)
    }

    async fn handle(
        &self,
        me: ActorRef<Self::Msg>,
        envelope: Self::Msg,
        (arguments, admission): &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let (Message::Look, handling) = envelope.open();
        faults::actor(OBSERVER)?;
        look(arguments).await;
        handling.done();
        let admission = admission.clone();
        me.send_after(PAUSE, move || admission.control(Message::Look));
        Ok(())
    }
}

/// Postgres away is something to see, not a reason to crash.
async fn look(Arguments { pool, db }: &Arguments) {
    let idle = u32::try_from(db.num_idle()).unwrap_or(u32::MAX);
    telemetry::postgres::pool(db.size().saturating_sub(idle), idle, *pool);
    let seen = look_at_postgres(db).await;
    telemetry::postgres::reachable(seen.is_ok());
    if let Err(error) = seen {
        tracing::debug!(%error, "nothing is seen of Postgres");
    }
}

async fn look_at_postgres(db: &PgPool) -> sqlx::Result<()> {
    telemetry::postgres::oldest_transaction(postgres::oldest_transaction(db).await?);
    // Places first: what is appended meanwhile makes them look further behind by that much, never ahead.
    let places = checkpoint::all(db).await?;
    let heads = event_store::heads(db).await?;
    for (partition, head) in &heads {
        telemetry::event_store::head(*partition, *head);
    }
    let distances = lag::distances(&places, &heads);
    for (subscription, distance) in &distances {
        telemetry::history::stands(subscription, *distance);
    }
    remember(&places, &heads, &distances);
    let followers = followers(&heads, &places);
    let asked: Vec<(i16, Position)> =
        followers.iter().map(|follower| (follower.partition, follower.position)).collect();
    let oldest = event_store::first_after(db, &asked).await?;
    for (Follower { name, partition, position, head }, oldest) in followers.into_iter().zip(oldest) {
        let age = oldest.and_then(|at| (clock::now() - at).to_std().ok()).unwrap_or_default();
        if name == RELAY {
            telemetry::relay::stands(partition, head, position, age);
        } else {
            telemetry::subscription::lag(name, LOG, partition, head - position);
            telemetry::subscription::lag_seconds(name, LOG, partition, age);
        }
    }
    Ok(())
}

/// What the charts show.
#[expect(clippy::cast_precision_loss, reason = "positions are far below 2^52")]
fn remember(places: &[Checkpoint], heads: &[(i16, Position)], distances: &BTreeMap<&str, i64>) {
    let now = clock::now();
    rings::counted("appended", heads.iter().map(|(_, head)| *head as f64).sum(), now);
    let published = places.iter().filter(|place| place.subscription == RELAY && place.source == LOG);
    rings::counted("published", published.map(|place| place.position as f64).sum(), now);
    for (subscription, distance) in distances {
        rings::measured(&format!("behind/{subscription}"), *distance as f64, now);
        let passed = places.iter().filter(|place| place.subscription == *subscription);
        rings::counted(&format!("passed/{subscription}"), passed.map(|place| place.position as f64).sum(), now);
    }
}

/// One that follows a log partition, and how far there is to go.
#[derive(Debug, PartialEq, Eq)]
struct Follower<'a> {
    name: &'a str,
    partition: i16,
    position: Position,
    head: Position,
}

/// Those who follow the log itself. The relay always does: one that never ran is behind by all there is. The lease of the
/// dead letters' publisher lives among the checkpoints, too, and follows nothing.
fn followers<'a>(heads: &[(i16, Position)], places: &'a [Checkpoint]) -> Vec<Follower<'a>> {
    let mut followers = Vec::new();
    for (partition, head) in heads {
        let here = |place: &&Checkpoint| place.source == LOG && place.partition == *partition;
        let follower = |name, position| Follower { name, partition: *partition, position, head: *head };
        let relay = places.iter().filter(here).find(|place| place.subscription == RELAY);
        followers.push(follower(RELAY, relay.map_or(0, |place| place.position)));
        let others =
            places.iter().filter(here).filter(|place| ![RELAY, DEAD_LETTER_PUBLISHER].contains(&&*place.subscription));
        followers.extend(others.map(|place| follower(&place.subscription, place.position)));
    }
    followers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(subscription: &str, source: &str, partition: i16, position: Position) -> Checkpoint {
        Checkpoint {
            subscription: subscription.to_owned(),
            source: source.to_owned(),
            partition,
            next_offset: position,
            position,
            epoch: 1,
            owner: None,
            lease_until: None,
            moved_at: clock::now(),
        }
    }

    #[test]
    fn whoever_follows_the_log_is_seen_and_a_relay_that_never_ran_too() {
        let places = [
            place("inventory", "order.events", 0, 7),
            place("order_view", LOG, 0, 8),
            place(DEAD_LETTER_PUBLISHER, LOG, 0, 0),
            place(RELAY, LOG, 0, 9),
        ];
        let seen = followers(&[(0, 10), (1, 5)], &places);
        let expected = [
            Follower { name: RELAY, partition: 0, position: 9, head: 10 },
            Follower { name: "order_view", partition: 0, position: 8, head: 10 },
            Follower { name: RELAY, partition: 1, position: 0, head: 5 },
        ];
        assert_eq!(seen, expected);
    }
}
