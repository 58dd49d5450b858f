use chrono::DateTime;
use uuid::Uuid;

use super::super::Awaited;
use super::*;
use crate::ops::owner::Owner;
use crate::subscription::control::Hold;
use crate::subscription::overview::ParkedStream;
use crate::subscription::standing::{Letter, Relay, Standing};

const ORDER: Uuid = Uuid::from_u128(7);
const LETTER: Uuid = Uuid::from_u128(9);

/// An order that is processing: `inventory` has come to nothing yet, and nothing is in its way but one event.
fn wait() -> Wait {
    Wait {
        event: Awaited {
            event_type: "order.created".to_owned(),
            stream_id: format!("order:{ORDER}"),
            partition: 3,
            position: 20,
            recorded_at: DateTime::UNIX_EPOCH,
        },
        relay: Relay { position: 20, behind: 0, is_led: true, moved_at: None },
        has_relay: true,
        standing: Standing {
            consumer: "inventory".to_owned(),
            topic: "order.events".to_owned(),
            outcome: Outcome::NotReached,
            position: 17,
            before: 1,
            is_more: false,
            owner: None,
            moved_at: None,
            hold: Hold::default(),
            parked: None,
            letter: None,
        },
        owner: Owner { node: Some("one".to_owned()), is_alive: true, silent_since: None },
    }
}

fn paused() -> Hold {
    Hold {
        paused_at: Some(DateTime::UNIX_EPOCH),
        paused_by: Some("ada".to_owned()),
        paused_why: Some("stocktaking".to_owned()),
        ..Hold::default()
    }
}

fn tripped() -> Hold {
    Hold { tripped_at: Some(DateTime::UNIX_EPOCH), tripped_why: Some("9 of 10 failed".to_owned()), ..Hold::default() }
}

fn parked(letter_id: Option<Uuid>) -> ParkedStream {
    ParkedStream {
        stream_id: format!("order:{ORDER}"),
        source: "order.events".to_owned(),
        partition: 3,
        letter_id,
        class: "transient".to_owned(),
        error: "the warehouse is away".to_owned(),
        retries: 1,
        depth: 1,
        parked_at: DateTime::UNIX_EPOCH,
        due_in_seconds: letter_id.is_none().then_some(12.4),
    }
}

fn letter() -> Letter {
    Letter {
        letter_id: LETTER,
        stream_id: Some(format!("order:{ORDER}")),
        version: Some(1),
        event_type: Some("order.created".to_owned()),
        class: "permanent".to_owned(),
        error: "no such product".to_owned(),
        last_failed_at: DateTime::UNIX_EPOCH,
    }
}

fn facts(status: Option<Status>, waits_for: Option<Wait>) -> Facts {
    Facts { order_id: ORDER, events: 1, status, since: None, waits_for, consumers: Vec::new() }
}

fn told(change: impl FnOnce(&mut Wait)) -> Told {
    let mut wait = wait();
    change(&mut wait);
    tell(&facts(Some(Status::Processing), Some(wait)))
}

fn assert_told(told: &Told, code: Code, parts: &[&str]) {
    assert_eq!(told.code, code, "{}", told.sentence);
    assert!(told.sentence.starts_with(&format!("Order {ORDER} ")) && told.sentence.ends_with('.'), "{}", told.sentence);
    for part in parts {
        assert!(told.sentence.contains(part), "{part:?} is not in: {}", told.sentence);
    }
}

#[test]
fn an_order_without_events_is_unknown() {
    assert_told(&tell(&Facts { events: 0, ..facts(None, None) }), Code::UnknownOrder, &["unknown"]);
}

#[test]
fn an_order_that_is_not_processing_waits_for_no_consumer() {
    for (status, code, part) in [
        (Status::Confirmed, Code::NoAutomaticStep, "/ship"),
        (Status::Shipped, Code::NoAutomaticStep, "/deliver"),
        (Status::Delivered, Code::Ended, "is delivered"),
        (Status::Rejected, Code::Ended, "is rejected"),
        (Status::Cancelled, Code::Ended, "is cancelled"),
    ] {
        assert_told(&tell(&facts(Some(status), None)), code, &[part]);
    }
}

#[test]
fn events_that_cannot_be_read_are_not_guessed_at() {
    assert_told(&tell(&facts(None, None)), Code::Unexplained, &["cannot read"]);
    assert_told(&tell(&facts(Some(Status::Processing), None)), Code::Unexplained, &["cannot read"]);
}

#[test]
fn an_event_that_is_not_published_waits_for_the_relay_whatever_holds_the_consumer() {
    let unpublished = Relay { position: 8, behind: 12, is_led: true, moved_at: None };
    let relay = told(|wait| wait.relay = unpublished);
    assert_told(&relay, Code::Unpublished, &["relay", "with it: 12", "partition 3", "at work"]);
    let leaderless = told(|wait| wait.relay = Relay { is_led: false, ..unpublished });
    assert_told(&leaderless, Code::Unpublished, &["ordo doctor"]);
    let nobody = told(|wait| (wait.relay, wait.has_relay) = (unpublished, false));
    assert_told(&nobody, Code::Unpublished, &["role relay"]);
    let both = told(|wait| {
        wait.relay = unpublished;
        wait.standing.hold = paused();
    });
    assert_told(&both, Code::Unpublished, &[]);
}

#[test]
fn an_event_the_consumer_has_not_come_to_waits_its_turn() {
    assert_told(
        &told(|_| {}),
        Code::Queued,
        &["inventory", "position 20", "stands at 17", "order.events before it: 1"],
    );
    let many = told(|wait| (wait.standing.before, wait.standing.is_more) = (9_000, true));
    assert_told(&many, Code::Queued, &["more than 9000"]);
}

#[test]
fn a_decision_waits_for_the_orders() {
    let orders = told(|wait| {
        wait.standing.consumer = "orders".to_owned();
        wait.event.event_type = "inventory.reserved".to_owned();
    });
    assert_told(&orders, Code::Queued, &["waits for orders to apply its inventory.reserved"]);
}

#[test]
fn a_consumer_that_is_held_says_by_whom_and_why_and_how_it_goes_on() {
    let resume = "ordo consumers resume inventory";
    assert_told(&told(|wait| wait.standing.hold = paused()), Code::Paused, &["ada has paused", "stocktaking", resume]);
    assert_told(&told(|wait| wait.standing.hold = tripped()), Code::Tripped, &["breaker", "9 of 10 failed", resume]);
    let both = told(|wait| wait.standing.hold = Hold { tripped_at: tripped().tripped_at, ..paused() });
    assert_told(&both, Code::Paused, &["ada"]);
    let set_aside = told(|wait| {
        wait.standing.outcome = Outcome::Parked;
        wait.standing.parked = Some(parked(None));
        wait.standing.hold = paused();
    });
    assert_told(&set_aside, Code::Paused, &["ada"]);
}

#[test]
fn a_partition_nobody_works_says_since_when_if_that_is_known() {
    let gone = told(|wait| wait.owner = Owner::default());
    assert_told(&gone, Code::Unowned, &["order.events partition 3", "role inventory"]);
    assert!(!gone.sentence.contains("since"), "{}", gone.sentence);
    let silent = Owner { silent_since: Some(DateTime::UNIX_EPOCH), ..Owner::default() };
    assert_told(&told(|wait| wait.owner = silent), Code::Unowned, &["since 1970-01-01 00:00:00 UTC"]);
}

#[test]
fn a_parked_stream_says_why_and_when_it_is_tried_again() {
    let soon = told(|wait| {
        wait.standing.outcome = Outcome::Parked;
        wait.standing.parked = Some(parked(None));
    });
    assert_told(&soon, Code::Parked, &["the warehouse is away", "in 12 s", "2. time"]);
    let due = told(|wait| {
        wait.standing.outcome = Outcome::Parked;
        wait.standing.parked = Some(ParkedStream { due_in_seconds: Some(-0.1), ..parked(None) });
    });
    assert_told(&due, Code::Parked, &["tried again now"]);
    let nobody = told(|wait| {
        wait.standing.outcome = Outcome::Parked;
        wait.standing.parked = Some(parked(None));
        wait.owner = Owner::default();
    });
    assert_told(&nobody, Code::Unowned, &[]);
}

#[test]
fn a_dead_letter_is_named_with_its_error_whether_it_is_the_events_own_or_one_before_it() {
    for outcome in [Outcome::Dead, Outcome::Parked] {
        let stopped = told(|wait| {
            wait.standing.outcome = outcome;
            wait.standing.parked = Some(parked(Some(LETTER)));
            wait.standing.letter = Some(letter());
            wait.standing.hold = paused();
        });
        assert_told(&stopped, Code::BehindLetter, &["no such product", &format!("ordo dlq show {LETTER}")]);
    }
}

#[test]
fn what_was_discarded_never_comes() {
    let gone = told(|wait| wait.standing.outcome = Outcome::Discarded);
    assert_told(&gone, Code::Discarded, &["discarded", "inventory never applies"]);
}

#[test]
fn facts_that_do_not_fit_together_are_told_as_such() {
    for outcome in [Outcome::Applied, Outcome::Passed, Outcome::Dead, Outcome::Parked] {
        assert_told(&told(|wait| wait.standing.outcome = outcome), Code::Unexplained, &["ordo log verify"]);
    }
}
