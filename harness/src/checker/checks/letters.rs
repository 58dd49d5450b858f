//! What a consumer was made to give up on is a dead letter, once; nothing else is, and in the end none is left.

use std::collections::HashMap;
use std::str::FromStr;

use uuid::Uuid;

use super::LogCheck;
use crate::checker::finding::Finding;
use crate::checker::letters::Letter;
use crate::checker::row::Row;
use crate::wire::event::Event;
use crate::wire::stream::Stream;

pub const ONE_LETTER: &str = "every event that its consumer was made to give up on has one dead letter";
pub const NO_OTHER: &str = "no other event has a dead letter";
pub const NONE_OPEN: &str = "no dead letter is open";

/// A consumer that gives up on the orders of a user: `<consumer>=<user>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivesUp {
    pub consumer: String,
    pub user: String,
}

impl FromStr for GivesUp {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((consumer, user)) if !consumer.is_empty() && !user.is_empty() => {
                Ok(Self { consumer: consumer.to_owned(), user: user.to_owned() })
            }
            _ => Err(format!("{text:?} is not <consumer>=<user>, such as inventory=mallory")),
        }
    }
}

pub struct Letters {
    given_up: Vec<GivesUp>,
    letters: Vec<Letter>,
    /// Who gives up on an order, as far as the log has shown it.
    by_order: HashMap<Uuid, Vec<String>>,
    /// First events that have to have a letter.
    owed: Vec<(String, String)>,
}

impl Letters {
    pub fn of(given_up: Vec<GivesUp>, letters: Vec<Letter>) -> Self {
        Self { given_up, letters, by_order: HashMap::new(), owed: Vec::new() }
    }
}

/// The kind of stream whose events a consumer reads.
fn reads(consumer: &str, stream: Stream) -> bool {
    match stream {
        Stream::Order(_) => consumer != "orders",
        Stream::Inventory(_) => consumer == "orders",
        _ => false,
    }
}

impl LogCheck for Letters {
    /// An order and what inventory decides about it share a partition, so its creation comes first.
    fn row(&mut self, row: &Row) {
        let (Stream::Order(id) | Stream::Inventory(id)) = row.stream else {
            return;
        };
        if let Event::Created { user, .. } = &row.event {
            let consumers = self.given_up.iter().filter(|given_up| given_up.user == *user);
            let consumers: Vec<String> = consumers.map(|given_up| given_up.consumer.clone()).collect();
            if !consumers.is_empty() {
                self.by_order.insert(id, consumers);
            }
        }
        if row.version == 1 {
            let consumers = self.by_order.get(&id).into_iter().flatten();
            let owed = consumers.filter(|consumer| reads(consumer, row.stream));
            self.owed.extend(owed.map(|consumer| (consumer.clone(), row.stream_id.clone())));
        }
    }

    fn findings(self: Box<Self>) -> Vec<Finding> {
        let mut one = Finding::of(ONE_LETTER);
        let mut no_other = Finding::of(NO_OTHER);
        let mut none_open = Finding::of(NONE_OPEN);
        let mut counts: HashMap<(&str, &str, i32), u32> = HashMap::new();
        for letter in &self.letters {
            *counts.entry((&letter.consumer, &letter.stream_id, letter.version)).or_default() += 1;
            let consumers = letter.order().and_then(|order| self.by_order.get(&order));
            no_other.check(consumers.is_some_and(|of| of.contains(&letter.consumer)), || letter.name());
            none_open.check(letter.state != "open", || letter.name());
        }
        for (consumer, stream_id) in &self.owed {
            let letters = counts.get(&(consumer, stream_id, 1)).copied().unwrap_or(0);
            one.check(letters == 1, || format!("{consumer}: {stream_id} v1 has {letters} letters"));
        }
        // Later events of the same stream may have one of their own, by the same rule; never two.
        for ((consumer, stream_id, version), letters) in counts.into_iter().filter(|((.., version), _)| *version > 1) {
            one.check(letters == 1, || format!("{consumer}: {stream_id} v{version} has {letters} letters"));
        }
        vec![one, no_other, none_open]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checker::checks::{judge, violated};
    use crate::checker::letters::fabricated::letter;
    use crate::checker::row::fabricated::{inventory, order};

    /// Orders 1 and 2 are those that inventory and orders give up on.
    fn violated_by(letters: &[Letter]) -> Vec<&'static str> {
        let given_up = ["inventory=user-1", "orders=user-2"].map(|text| text.parse().unwrap());
        let rows = [
            order(1, 1, 1, "order.created"),
            order(2, 2, 1, "order.created"),
            inventory(3, 2, 1, "inventory.reserved", 2),
            order(4, 3, 1, "order.created"),
            inventory(5, 3, 1, "inventory.reserved", 2),
        ];
        violated(&judge(Letters::of(given_up.into(), letters.to_vec()), &rows))
    }

    fn both(state: &str) -> [Letter; 2] {
        [
            letter("inventory", "order", 1, "order.created", state),
            letter("orders", "inventory", 2, "inventory.reserved", state),
        ]
    }

    #[test]
    fn one_letter_for_each_event_that_was_to_fail_is_right() {
        assert_eq!(violated_by(&both("resolved")), [""; 0]);
        assert_eq!(violated_by(&both("discarded")), [""; 0]);
    }

    #[test]
    fn a_letter_too_few_or_too_many_is_found() {
        let [one, other] = both("resolved");
        assert_eq!(violated_by(std::slice::from_ref(&one)), [ONE_LETTER]);
        assert_eq!(violated_by(&[one.clone(), one, other]), [ONE_LETTER]);
    }

    #[test]
    fn a_letter_of_an_innocent_event_is_found() {
        let [one, other] = both("resolved");
        let innocent = letter("inventory", "order", 3, "order.created", "resolved");
        assert_eq!(violated_by(&[one.clone(), other.clone(), innocent]), [NO_OTHER]);
        let of_another = letter("notification", "order", 1, "order.created", "resolved");
        assert_eq!(violated_by(&[one, other, of_another]), [NO_OTHER]);
    }

    #[test]
    fn a_letter_that_nobody_ended_is_found() {
        assert_eq!(violated_by(&both("open")), [NONE_OPEN]);
    }
}
