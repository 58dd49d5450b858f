//! From facts to one sentence and a code: pure.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Facts, Wait};
use crate::domain::order::Status;
use crate::subscription::standing::Outcome;

/// Why an order is where it is, for programs: never renamed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// There is no such order.
    UnknownOrder,
    /// Nothing more happens to it.
    Ended,
    /// It goes on when somebody says so.
    NoAutomaticStep,
    /// The relay has not published the event yet.
    Unpublished,
    /// An operator has paused the consumer.
    Paused,
    /// The breaker has stopped the consumer.
    Tripped,
    /// No living process works that partition for the consumer.
    Unowned,
    /// The consumer has not come to the event yet.
    Queued,
    /// The event failed, and is tried again.
    Parked,
    /// The event, or one before it in its stream, is a dead letter.
    BehindLetter,
    /// The event was given up for ever.
    Discarded,
    /// The facts do not fit together.
    Unexplained,
}

/// The answer in words and as a code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Told {
    /// In words, with the next step where there is one.
    pub sentence: String,
    /// For programs.
    pub code: Code,
}

/// What holds a consumer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Held {
    Paused,
    Tripped,
    No,
}

/// The answer that follows from the facts.
pub(super) fn tell(facts: &Facts) -> Told {
    let id = facts.order_id;
    let (code, rest) = match (facts.events, facts.status, &facts.waits_for) {
        (0, ..) => (Code::UnknownOrder, "is unknown: the log has no event of it".to_owned()),
        (_, Some(Status::Confirmed), _) => (
            Code::NoAutomaticStep,
            format!(
                "is confirmed, its stock is reserved, and it waits for nobody's automatic step: POST /v1/orders/{id}/ship \
                 or /cancel moves it on"
            ),
        ),
        (_, Some(Status::Shipped), _) => (
            Code::NoAutomaticStep,
            format!("is shipped and waits for nobody's automatic step: POST /v1/orders/{id}/deliver moves it on"),
        ),
        (_, Some(status @ (Status::Delivered | Status::Rejected | Status::Cancelled)), _) => {
            (Code::Ended, format!("is {status}, and nothing more happens to it"))
        }
        (_, Some(Status::Processing), Some(wait)) => waiting(wait),
        (_, Some(Status::Processing), None) | (_, None, _) => {
            (Code::Unexplained, "has events that this build cannot read; bring this process to the newest".to_owned())
        }
    };
    Told { sentence: format!("Order {id} {rest}."), code }
}

/// The first obstacle on the way of an order that is processing.
fn waiting(wait: &Wait) -> (Code, String) {
    let standing = &wait.standing;
    let held = match (standing.hold.paused_at, standing.hold.tripped_at) {
        (Some(_), _) => Held::Paused,
        (None, Some(_)) => Held::Tripped,
        (None, None) => Held::No,
    };
    let is_published = wait.relay.behind == 0;
    let code = match (standing.outcome, is_published, held, wait.owner.is_alive) {
        (Outcome::Discarded, ..) => Code::Discarded,
        (Outcome::Dead | Outcome::Parked, ..) if standing.letter.is_some() => Code::BehindLetter,
        (Outcome::Applied | Outcome::Passed | Outcome::Dead, ..) => Code::Unexplained,
        (Outcome::NotReached, false, ..) => Code::Unpublished,
        (Outcome::NotReached | Outcome::Parked, _, Held::Paused, _) => Code::Paused,
        (Outcome::NotReached | Outcome::Parked, _, Held::Tripped, _) => Code::Tripped,
        (Outcome::NotReached | Outcome::Parked, _, Held::No, false) => Code::Unowned,
        (Outcome::NotReached, true, Held::No, true) => Code::Queued,
        (Outcome::Parked, _, Held::No, true) if standing.parked.is_some() => Code::Parked,
        (Outcome::Parked, _, Held::No, true) => Code::Unexplained,
    };
    (code, obstacle(code, wait))
}

fn obstacle(code: Code, wait: &Wait) -> String {
    let (standing, event, relay) = (&wait.standing, &wait.event, &wait.relay);
    let (consumer, kind, partition) = (&standing.consumer, &event.event_type, event.partition);
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "no reason".to_owned());
    match code {
        Code::Unpublished => {
            let led = match (wait.has_relay, relay.is_led) {
                (false, _) => "no living process publishes: start one with the role relay",
                (true, false) => "nobody can publish that partition now: `ordo doctor` tells how Kafka is",
                (true, true) => "it is at work",
            };
            format!(
                "waits for the relay to publish its {kind}; events of partition {partition} to be published until then, with \
                 it: {}; {led}",
                relay.behind
            )
        }
        Code::Paused => format!(
            "waits for {consumer} to apply its {kind}, and {} has paused {consumer}: {}; `ordo consumers resume {consumer}` \
             lets it go on",
            standing.hold.paused_by.as_deref().unwrap_or("somebody"),
            text(&standing.hold.paused_why)
        ),
        Code::Tripped => format!(
            "waits for {consumer} to apply its {kind}, and the breaker has stopped {consumer}: {}; when the cause is \
             mended, `ordo consumers resume {consumer}` lets it go on",
            text(&standing.hold.tripped_why)
        ),
        Code::Unowned => {
            let since = wait.owner.silent_since.map(|at| format!(" since {}", at.format("%Y-%m-%d %H:%M:%S UTC")));
            format!(
                "waits for {consumer} to apply its {kind}, and no living process has worked {} partition {partition} for \
                 {consumer}{}: start one with the role {consumer}; `ordo nodes` shows which there are",
                standing.topic,
                since.unwrap_or_default()
            )
        }
        Code::Queued => format!(
            "waits for {consumer} to apply its {kind} at position {} of partition {partition}: {consumer} stands at {}; \
             events of {} before it: {}{}",
            event.position,
            standing.position,
            standing.topic,
            if standing.is_more { "more than " } else { "" },
            standing.before
        ),
        Code::Parked => standing.parked.as_ref().map_or_else(String::new, |parked| {
            let due = match parked.due_in_seconds {
                Some(seconds) if seconds > 0.0 => format!("in {seconds:.0} s"),
                _ => "now".to_owned(),
            };
            format!(
                "waits in a stream that {consumer} has set aside: its {kind} failed ({}) and is tried again {due}, for the \
                 {}. time",
                parked.error,
                parked.retries.saturating_add(1)
            )
        }),
        Code::BehindLetter => standing.letter.as_ref().map_or_else(String::new, |letter| {
            format!(
                "is stopped behind dead letter {}: {consumer} gave up on {} of its stream ({}); `ordo dlq show {}` shows \
                 what failed and what can be done",
                letter.letter_id,
                letter.event_type.as_deref().unwrap_or("an event"),
                letter.error,
                letter.letter_id
            )
        }),
        Code::Discarded => format!(
            "stays processing: an operator has discarded the dead letter of its {kind}, so {consumer} never applies it; \
             `ordo operations --action 'dlq discard'` says who and why"
        ),
        _ => format!(
            "is processing although {consumer} has passed its {kind} and nothing waits; run `ordo log verify` and report it"
        ),
    }
}

#[cfg(test)]
mod tests;
