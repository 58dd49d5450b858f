//! What becomes of events that fail: the culprit is found, its stream set aside, everybody else goes on.

use std::time::Duration;

use ordo::contracts::{RecordedEvent, topics};
use ordo::subscription::lone::{self, Ended};
use ordo::subscription::{Lane, OnDeadLetter, attempts, parking};
use uuid::Uuid;

use super::stage::{ANY, Fails, Stage, event};

const LEASE: Duration = Duration::from_secs(30);

/// Events 1.. of as many streams, one each.
fn streams(count: i64) -> Vec<RecordedEvent> {
    (1..=count).map(|n| event(&format!("order:{n}"), 1, n)).collect()
}

/// How many transactions the same batch takes when nothing fails.
const PLAIN: u32 = 1;

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_event_among_five_hundred_costs_about_twelve_transactions_and_all_others_take_effect() {
    for bad in [1, 250, 377, 500] {
        let stage = Stage::witness().await;
        let lane = stage.lane(topics::ORDER_EVENTS, 0);
        let claim = stage.claim(&lane).await;
        stage.script(&format!("order:{bad}@1"), Some(Fails::Poison));
        let mut work = Stage::work(&streams(500), 500);
        stage.finish_work(&mut work, &lane, claim.epoch, 60).await;
        assert_eq!((work.passed().applied, work.passed().letters), (499, 1));
        // Each transaction gives its events to the handler, but for the last, which writes the letter.
        let transactions = stage.calls() + 1;
        assert!(transactions - PLAIN <= 12, "{transactions} transactions for the bad event {bad}");
        assert_eq!(stage.letters().await, [(format!("order:{bad}"), 1, "poison".to_owned())]);
        assert_eq!(stage.seen().len(), 499);
        stage.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_culprit_the_handler_names_is_not_searched_for() {
    let stage = Stage::witness().await;
    let lane = stage.lane(topics::ORDER_EVENTS, 0);
    let claim = stage.claim(&lane).await;
    stage.script("order:250@1", Some(Fails::PoisonNamed));
    let mut work = Stage::work(&streams(500), 500);
    let steps = stage.finish_work(&mut work, &lane, claim.epoch, 60).await;
    assert_eq!((work.passed().applied, work.passed().letters), (499, 1));
    // The batch, what comes before, the culprit alone and as a letter, what comes after.
    assert!(steps <= 5, "{steps}");
    stage.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_fails_for_now_waits_in_order_while_all_others_go_on_and_is_taken_up_again() {
    let stage = Stage::witness().await;
    let lane = stage.lane(topics::ORDER_EVENTS, 0);
    let claim = stage.claim(&lane).await;
    stage.script("order:a@1", Some(Fails::Transient));
    let events = [
        event("order:a", 1, 1),
        event("order:b", 1, 2),
        event("order:a", 2, 3),
        event("order:b", 2, 4),
        event("order:a", 3, 5),
    ];
    let passed = stage.work_off(&lane, claim.epoch, &events).await;
    assert_eq!((passed.applied, passed.parked, passed.letters), (2, 3, 0));
    assert_eq!(stage.seen(), ["order:b@1", "order:b@2"]);
    assert_eq!(stage.aside("order:a").await, Some((None, 3)));
    // A later batch finds the stream set aside, too.
    let later = [event("order:a", 4, 6), event("order:b", 3, 7)];
    stage.work_off(&lane, claim.epoch, &later).await;
    assert_eq!(stage.aside("order:a").await, Some((None, 4)));
    assert_eq!(
        parking::take("witness", stage.owner, LEASE, &stage.db).await.unwrap().map(|_| ()),
        None,
        "it is not due"
    );

    stage.script("order:a@1", None);
    stage.make_due().await;
    assert_eq!(stage.drain().await, 4);
    let of_a: Vec<String> = stage.seen().into_iter().filter(|name| name.starts_with("order:a")).collect();
    assert_eq!(of_a, ["order:a@1", "order:a@2", "order:a@3", "order:a@4"]);
    assert_eq!(stage.aside("order:a").await, None);
    // It is an ordinary stream again.
    let passed = stage.work_off(&lane, claim.epoch, &[event("order:a", 5, 8)]).await;
    assert_eq!(passed.applied, 1);
    assert_eq!(stage.left("event_attempt").await, 0);
    stage.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_fails_at_every_retry_becomes_a_letter_and_its_followers_wait_behind_it() {
    let stage = Stage::witness().await;
    let lane = stage.lane(topics::ORDER_EVENTS, 0);
    let claim = stage.claim(&lane).await;
    stage.script("order:a@1", Some(Fails::Transient));
    stage.work_off(&lane, claim.epoch, &[event("order:a", 1, 1), event("order:a", 2, 2)]).await;
    for retry in 1..=4 {
        assert!(stage.letters().await.is_empty(), "before retry {retry}");
        stage.make_due().await;
        assert_eq!(stage.drain().await, 0);
    }
    assert_eq!(stage.letters().await, [("order:a".to_owned(), 1, "exhausted".to_owned())]);
    assert_eq!(stage.attempts_of_letters().await, [5 + 4], "parking forgets no try");
    let (letter, depth) = stage.aside("order:a").await.expect("it waits");
    assert_eq!((letter.is_some(), depth), (true, 1));
    stage.make_due().await;
    assert_eq!(stage.drain().await, 0);
    assert!(stage.seen().is_empty());
    stage.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parked_head_that_fails_in_another_way_begins_with_all_its_retries() {
    let stage = Stage::witness().await;
    let lane = stage.lane(topics::ORDER_EVENTS, 0);
    let claim = stage.claim(&lane).await;
    stage.script("order:a@1", Some(Fails::Transient));
    stage.work_off(&lane, claim.epoch, &[event("order:a", 1, 1)]).await;
    for _ in 0..3 {
        stage.make_due().await;
        stage.drain().await;
    }
    stage.script("order:a@1", Some(Fails::Panic));
    for _ in 0..2 {
        stage.make_due().await;
        stage.drain().await;
        assert!(stage.letters().await.is_empty());
    }
    stage.make_due().await;
    stage.drain().await;
    assert_eq!(stage.letters().await, [("order:a".to_owned(), 1, "panic".to_owned())], "the third panic");
    stage.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_dead_letter_a_stream_waits_or_goes_on_as_its_consumer_chooses() {
    for (policy, applied) in [(OnDeadLetter::Block, 1), (OnDeadLetter::Continue, 3)] {
        let mut stage = Stage::witness().await;
        stage.subscription.on_dead_letter = policy;
        let lane = stage.lane(topics::ORDER_EVENTS, 0);
        let claim = stage.claim(&lane).await;
        stage.script("order:a@1", Some(Fails::Poison));
        let events = [event("order:a", 1, 1), event("order:b", 1, 2), event("order:a", 2, 3), event("order:a", 3, 4)];
        let passed = stage.work_off(&lane, claim.epoch, &events).await;
        assert_eq!((passed.applied, passed.letters), (applied, 1), "{policy:?}");
        let aside = stage.aside("order:a").await.map(|(letter, depth)| (letter.is_some(), depth));
        assert_eq!(aside, (policy == OnDeadLetter::Block).then_some((true, 2)), "{policy:?}");
        // Delivered again, nothing happens twice.
        stage.work_off(&lane, claim.epoch, &events).await;
        assert_eq!(stage.letters().await.len(), 1);
        assert_eq!(stage.seen().len(), usize::try_from(applied).unwrap());
        stage.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tries_outlive_their_process_and_another_class_of_failure_begins_anew() {
    let stage = Stage::witness().await;
    let lane = stage.lane(topics::ORDER_EVENTS, 0);
    let claim = stage.claim(&lane).await;
    let events = [event("order:a", 1, 1)];
    stage.script("order:a@1", Some(Fails::Panic));
    for tries in 1..=2 {
        // Each time another process, that knows nothing of the last one.
        let mut work = Stage::work(&events, 100);
        let worker = stage.worker(&lane, claim.epoch);
        work.step(worker).await;
        assert_eq!(stage.tries().await, (tries, tries));
    }
    stage.script("order:a@1", Some(Fails::Transient));
    Stage::work(&events, 100).step(stage.worker(&lane, claim.epoch)).await;
    assert_eq!(stage.tries().await, (1, 3), "the class is another");
    stage.script("order:a@1", Some(Fails::Panic));
    let passed = stage.work_off(&lane, claim.epoch, &events).await;
    assert_eq!(passed.letters, 1);
    assert_eq!(stage.attempts_of_letters().await, [6]);
    assert_eq!(stage.left("event_attempt").await, 0, "the letter has taken them over");
    stage.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gap_sets_the_stream_aside_and_nothing_behind_it_takes_effect() {
    let stage = Stage::witness().await;
    let lane = stage.lane(topics::ORDER_EVENTS, 0);
    let claim = stage.claim(&lane).await;
    let events = [event("order:a", 1, 1), event("order:a", 3, 2), event("order:a", 4, 3), event("order:b", 1, 4)];
    let passed = stage.work_off(&lane, claim.epoch, &events).await;
    assert_eq!((passed.applied, passed.parked), (2, 2));
    assert_eq!(stage.aside("order:a").await, Some((None, 2)));
    stage.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_ends_over_an_event_is_charged_to_it_only_if_it_ran_alone() {
    let stage = Stage::witness().await;
    let lane = stage.lane(topics::ORDER_EVENTS, 0);
    let events = [event("order:a", 1, 1), event("order:b", 1, 2)];
    // Two processes end in the middle of the same batch: nobody is charged, but the batch is suspect.
    let first = stage.claim(&lane).await;
    let second = stage.claim(&lane).await;
    let third = stage.claim(&lane).await;
    assert_eq!([first, second, third].map(|claim| claim.suspect_before.is_some()), [false, false, true]);
    assert_eq!(stage.left("event_attempt").await, 0);
    // Alone it is written down before it runs, and each process that ends then is counted.
    let delivered = stage.delivered(&events[0]);
    for deaths in 1..=5 {
        let dying = Uuid::new_v4();
        attempts::begin(&lane, &delivered, dying, &stage.db).await.unwrap();
        assert_eq!(attempts::charge(&lane, Uuid::new_v4(), &stage.db).await.unwrap(), 1);
        assert_eq!(stage.deaths().await, deaths);
    }
    let claim = stage.claim(&lane).await;
    assert!(claim.suspect_before.is_some(), "until its events have run");
    let mut work = Stage::work_one_by_one(&events);
    stage.finish_work(&mut work, &lane, claim.epoch, 20).await;
    assert_eq!(stage.letters().await, [("order:a".to_owned(), 1, "deadly".to_owned())]);
    assert_eq!(stage.seen(), ["order:b@1"]);
    stage.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_gave_its_partition_back_has_not_died_over_it() {
    let stage = Stage::witness().await;
    let lane = stage.lane(topics::ORDER_EVENTS, 0);
    for _ in 0..6 {
        let claim = stage.claim(&lane).await;
        assert_eq!(claim.suspect_before, None);
        ordo::subscription::checkpoint::release(&lane, claim.epoch, &stage.db).await.unwrap();
    }
    // Nor has one after which events went on to be applied.
    let mut position = 0;
    for _ in 0..6 {
        let claim = stage.claim(&lane).await;
        assert_eq!(claim.suspect_before, None);
        position += 1;
        stage.work_off(&lane, claim.epoch, &[event(&format!("order:{position}"), 1, position)]).await;
    }
    stage.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_that_gives_up_twenty_events_in_a_row_is_stopped_and_applies_nothing_more() {
    let stage = Stage::witness().await;
    let lane = stage.lane(topics::ORDER_EVENTS, 0);
    let claim = stage.claim(&lane).await;
    let events = streams(30);
    for event in &events {
        stage.script(&format!("{}@1", event.stream_id), Some(Fails::PoisonNamed));
    }
    let mut work = Stage::work(&events, 100);
    for _ in 0..200 {
        work.step(stage.worker(&lane, claim.epoch)).await;
    }
    assert_eq!(stage.letters().await.len(), 20);
    let hold = ordo::subscription::hold::of("witness", &stage.db).await.unwrap().expect("it is held");
    assert!(hold.to_string().contains("20 dead letters in a row"), "{hold}");
    stage.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partition_waits_rather_than_set_aside_more_than_it_may() {
    let mut stage = Stage::witness().await;
    stage.subscription.config.parked_streams = 1;
    stage.subscription.config.parked_depth = 2;
    let lane = stage.lane(topics::ORDER_EVENTS, 0);
    let claim = stage.claim(&lane).await;
    stage.script("order:a@1", Some(Fails::Transient));
    let events: Vec<RecordedEvent> = (1..=2).map(|n| event("order:a", n, i64::from(n))).collect();
    stage.work_off(&lane, claim.epoch, &events).await;
    // One more event of that stream, or one more stream, is more than it may hold.
    stage.script("order:b@1", Some(Fails::Transient));
    for more in [event("order:a", 3, 3), event("order:b", 1, 4)] {
        let mut work = Stage::work(std::slice::from_ref(&more), 100);
        for _ in 0..20 {
            work.step(stage.worker(&lane, claim.epoch)).await;
        }
        assert_eq!(work.passed().parked, 0, "{}", more.stream_id);
    }
    assert_eq!(stage.aside("order:a").await, Some((None, 2)));
    stage.script("order:a@1", None);
    stage.make_due().await;
    assert_eq!(stage.drain().await, 2);
    let passed = stage.work_off(&lane, claim.epoch, &[event("order:a", 3, 3)]).await;
    assert_eq!(passed.applied, 1);
    stage.finish().await;
}

impl Stage {
    pub async fn drain(&self) -> u64 {
        let mut applied = 0;
        while let Some(head) = parking::take(&self.subscription.name, self.owner, LEASE, &self.db).await.unwrap() {
            match lone::retry(&self.subscription, &head, self.owner).await.unwrap() {
                Ended::Applied { .. } => applied += 1,
                Ended::Failed(_) => {}
                other => panic!("{other:?}"),
            }
        }
        applied
    }

    fn worker<'a>(&'a self, lane: &'a Lane, epoch: i64) -> ordo::subscription::Worker<'a> {
        ordo::subscription::Worker { subscription: &self.subscription, lane, epoch, owner: self.owner, aside: &ANY }
    }

    async fn make_due(&self) {
        let due = sqlx::query("update parked_stream set due_at = clock_timestamp() where due_at is not null");
        due.execute(&self.db).await.unwrap();
    }

    async fn aside(&self, stream: &str) -> Option<(Option<Uuid>, i32)> {
        let row = sqlx::query_as("select letter_id, depth from parked_stream where stream_id = $1").bind(stream);
        row.fetch_optional(&self.db).await.unwrap()
    }

    async fn tries(&self) -> (i32, i32) {
        sqlx::query_as("select tries, attempts from event_attempt").fetch_one(&self.db).await.unwrap()
    }

    async fn deaths(&self) -> i32 {
        sqlx::query_scalar("select deaths from event_attempt").fetch_one(&self.db).await.unwrap()
    }

    async fn attempts_of_letters(&self) -> Vec<i32> {
        sqlx::query_scalar("select attempts from dead_letter").fetch_all(&self.db).await.unwrap()
    }

    async fn left(&self, table: &str) -> i64 {
        let count = match table {
            "event_attempt" => "select count(*) from event_attempt",
            _ => "select count(*) from parked_event",
        };
        sqlx::query_scalar(count).fetch_one(&self.db).await.unwrap()
    }
}
