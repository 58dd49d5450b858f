//! The writer itself, on a real Postgres: what it answers, and what is in the log by then.

use std::time::Duration;

use ordo::actors::Route;
use ordo::actors::writer::{Arguments, Message, WriteError, spec};
use ordo::commands::Lane;
use ordo::event_store::{Append, Bell, Config, NewEvent, Outcome, Pressure};
use ordo::postgres;
use ordo::telemetry::trace::Span;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::wire::{Fate, Wire};
use crate::support::{Database, Tree};

/// More than any answer here takes, and less than a writer that tries for ever.
const PATIENCE: Duration = Duration::from_secs(15);

type Answer = Result<Outcome, WriteError>;

/// A writer at the end of a wire.
struct Desk {
    database: Database,
    route: Route<Message>,
    wire: Wire,
    tree: Tree,
}

impl Desk {
    async fn with(fates: &[Fate]) -> Self {
        let database = Database::with_partitions(1).await;
        let options = postgres::connect_options(&database.service_config()).unwrap();
        let server = (options.get_host().to_owned(), options.get_port());
        let wire = Wire::to(server, database.db.clone(), fates).await;
        let route = Route::default();
        let tree = Tree::of(spec(Arguments {
            number: 0,
            route: route.clone(),
            connect: options.host("127.0.0.1").port(wire.port),
            config: Config::default(),
            bell: Bell::new(1),
            pressure: Pressure::default(),
        }))
        .await;
        Self { database, route, wire, tree }
    }

    /// Sends an append without waiting for its answer.
    fn send(&self, append: Append) -> oneshot::Receiver<Answer> {
        let (reply, answer) = oneshot::channel();
        self.route.try_send(Lane::Caller, Message::Append(append, Span::default(), reply)).unwrap();
        answer
    }

    /// The log as stream, version and append, in order.
    async fn log(&self) -> Vec<(String, i32, Uuid)> {
        let rows = sqlx::query_as("select stream_id, version, append_id from log order by position");
        rows.fetch_all(&self.database.db).await.unwrap()
    }

    async fn finish(self) {
        assert!(self.tree.crashes().is_empty(), "{:#?}", self.tree.crashes());
        self.tree.finish().await;
        self.database.drop().await;
    }
}

fn wanted(stream: &str, expected_version: i32, events: usize) -> Append {
    let event = NewEvent { event_type: "order.created", schema_version: 1, payload: "{}".to_owned() };
    Append {
        append_id: Uuid::new_v4(),
        stream_id: format!("order:{stream}"),
        partition: 0,
        partition_key: stream.to_owned(),
        expected_version,
        events: vec![event; events],
        meta: "{}".to_owned(),
    }
}

async fn answered(answer: oneshot::Receiver<Answer>) -> Answer {
    tokio::time::timeout(PATIENCE, answer).await.expect("the writer answers").expect("the writer lives")
}

#[tokio::test(flavor = "multi_thread")]
async fn two_appends_of_one_stream_never_share_a_batch_so_the_second_is_decided_after_the_first() {
    let desk = Desk::with(&[]).await;
    // The first batch waits for the head while all others come, so that the next could hold them all.
    let mut head = desk.database.db.begin().await.unwrap();
    sqlx::query("select 1 from log_head for update").execute(&mut *head).await.unwrap();
    let before = desk.send(wanted("before", 0, 1));
    let wishes = [wanted("a", 0, 1), wanted("a", 0, 1), wanted("b", 0, 1), wanted("a", 1, 1)];
    let stored = [0, 2, 3].map(|n: usize| wishes[n].append_id);
    let answers = wishes.map(|wish| desk.send(wish));
    head.commit().await.unwrap();
    assert!(matches!(answered(before).await, Ok(Outcome::Accepted(_))));
    let mut accepted = Vec::new();
    for answer in answers {
        accepted.push(match answered(answer).await.unwrap() {
            Outcome::Accepted(place) => Some(place.first_position),
            Outcome::Conflict => None,
        });
    }
    // Of one batch: the first of "a" and that of "b". Then the second of "a", refused, and the third, that follows it.
    assert_eq!(accepted, [Some(2), None, Some(3), Some(4)]);
    let log = desk.log().await;
    assert_eq!(log[1..].iter().map(|row| row.2).collect::<Vec<_>>(), stored);
    desk.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_append_whose_answer_was_lost_is_sent_again_and_accepted_once() {
    let desk = Desk::with(&[Fate::AnswerLost, Fate::Refused, Fate::Refused]).await;
    let append = wanted("a", 0, 2);
    let id = append.append_id;
    // While nobody can be asked, nothing is refused: it may be durable, and is.
    let answer = answered(desk.send(append)).await;
    let Ok(Outcome::Accepted(place)) = answer else { panic!("it is in the log, and the answer is {answer:?}") };
    assert!(desk.wire.is_spent(), "its connection was lost");
    assert_eq!(place.first_position, 1);
    assert_eq!(desk.log().await, [("order:a".to_owned(), 1, id), ("order:a".to_owned(), 2, id)]);
    let follower = answered(desk.send(wanted("a", 2, 1))).await;
    assert!(matches!(follower, Ok(Outcome::Accepted(place)) if place.first_position == 3), "{follower:?}");
    desk.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_append_that_was_never_sent_is_refused_at_once_and_is_not_in_the_log() {
    let desk = Desk::with(&[Fate::Refused]).await;
    assert_eq!(answered(desk.send(wanted("a", 0, 1))).await, Err(WriteError::Unavailable));
    assert!(desk.wire.is_spent());
    assert_eq!(desk.log().await, []);
    // The next one finds a connection; were the first still on its way, this would meet it.
    let next = answered(desk.send(wanted("a", 0, 1))).await;
    assert!(matches!(next, Ok(Outcome::Accepted(place)) if place.first_position == 1), "{next:?}");
    desk.finish().await;
}
