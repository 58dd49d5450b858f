//! What the service answered is what it did: accepted orders are in the log as asked for, refused ones are not.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use super::LogCheck;
use crate::checker::finding::Finding;
use crate::checker::history_index::{HistoryIndex, Indexed, Post, asked};
use crate::checker::row::Row;
use crate::wire::digest::Digest;
use crate::wire::event::Event;
use crate::wire::lines::Lines;
use crate::wire::stream::Stream;
use crate::wire::token::Token;

pub const IN_THE_LOG: &str = "every accepted order is version 1 of its stream";
pub const AS_ASKED: &str = "an accepted order has the user and the lines it was asked with";
pub const TOKEN: &str = "the answered position is the order's own";
pub const ONE_ORDER: &str = "one key never makes two orders";
pub const NOTHING_STORED: &str = "a refused order is not in the log";
pub const CANCELLED: &str = "every accepted cancellation is in the log";

pub struct Accepted {
    posts: HashMap<Uuid, Post>,
    /// Accepted orders that the log has not shown yet.
    missing: HashMap<Uuid, Uuid>,
    to_be_cancelled: HashSet<Uuid>,
    /// Orders in the log of each user that one key alone used: then they are that key's.
    orders_of_user: HashMap<Digest, (Uuid, u32)>,
    in_the_log: Finding,
    as_asked: Finding,
    token: Finding,
    cancelled: Finding,
    of_history: Vec<Finding>,
}

impl Accepted {
    pub fn of(history: HistoryIndex) -> Self {
        let Indexed { posts, by_order, cancelled, findings } = history.finish();
        let mut orders_of_user = HashMap::with_capacity(posts.len());
        let mut shared = HashSet::new();
        for (key, post) in &posts {
            if orders_of_user.insert(post.user, (*key, 0)).is_some() {
                shared.insert(post.user);
            }
        }
        orders_of_user.retain(|user, _| !shared.contains(user));
        Self {
            posts,
            missing: by_order,
            to_be_cancelled: cancelled,
            orders_of_user,
            in_the_log: Finding::of(IN_THE_LOG),
            as_asked: Finding::of(AS_ASKED),
            token: Finding::of(TOKEN),
            cancelled: Finding::of(CANCELLED),
            of_history: findings,
        }
    }

    fn created(&mut self, row: &Row, id: Uuid, user: &str, lines: &Lines) {
        if let Some((_, orders)) = self.orders_of_user.get_mut(&Digest::of(user)) {
            *orders += 1;
        }
        if row.version != 1 {
            return;
        }
        let Some(key) = self.missing.remove(&id) else {
            return;
        };
        self.in_the_log.check(true, String::new);
        let Some(post) = self.posts.get(&key) else {
            return;
        };
        self.as_asked.check(post.asked == asked(user, lines), || format!("{} of key {key}", row.name()));
        let place = Token { partition: row.partition, position: row.position };
        let answered = post.accepted.map(|accepted| accepted.token);
        self.token.check(answered == Some(place), || format!("{} was answered as {answered:?}", row.name()));
    }
}

impl LogCheck for Accepted {
    fn row(&mut self, row: &Row) {
        let Stream::Order(id) = row.stream else {
            return;
        };
        match &row.event {
            Event::Created { user, lines, .. } => self.created(row, id, user, lines),
            Event::Cancelled { .. } if self.to_be_cancelled.remove(&id) => self.cancelled.check(true, String::new),
            _ => (),
        }
    }

    fn findings(mut self: Box<Self>) -> Vec<Finding> {
        let mut one_order = Finding::of(ONE_ORDER);
        let mut nothing_stored = Finding::of(NOTHING_STORED);
        for (order, key) in &self.missing {
            self.in_the_log.check(false, || format!("order {order} of key {key}"));
        }
        for order in &self.to_be_cancelled {
            self.cancelled.check(false, || format!("order {order}"));
        }
        for (key, orders) in self.orders_of_user.values() {
            one_order.check(*orders <= 1, || format!("key {key} made {orders} orders"));
            if self.posts.get(key).is_some_and(|post| post.only_refused) {
                nothing_stored.check(*orders == 0, || format!("key {key} was refused and made {orders} orders"));
            }
        }
        let mut findings = self.of_history;
        findings.extend([self.in_the_log, self.as_asked, self.token, one_order, nothing_stored, self.cancelled]);
        findings
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checker::checks::{judge, violated};
    use crate::checker::history_index::fabricated::attempt;
    use crate::checker::row::fabricated::{inventory, order};
    use crate::history::{Action, Attempt, Outcome};

    fn violated_by(attempts: Vec<Attempt>, rows: &[Row]) -> Vec<&'static str> {
        let mut history = HistoryIndex::default();
        attempts.into_iter().for_each(|attempt| history.add(attempt));
        violated(&judge(Accepted::of(history), rows))
    }

    #[test]
    fn an_accepted_order_in_the_log_is_right_and_an_unknown_one_may_be() {
        let rows = [order(1, 1, 1, "order.created"), order(2, 2, 1, "order.created")];
        let attempts =
            || vec![attempt(1, Outcome::Accepted), attempt(2, Outcome::Unknown), attempt(3, Outcome::Refused)];
        assert_eq!(violated_by(attempts(), &rows), [""; 0]);
        assert_eq!(violated_by(attempts(), &rows[..1]), [""; 0]);
    }

    #[test]
    fn a_lost_order_is_found() {
        assert_eq!(violated_by(vec![attempt(1, Outcome::Accepted)], &[]), [IN_THE_LOG]);
        let later = [order(1, 1, 2, "order.created")];
        assert_eq!(violated_by(vec![attempt(1, Outcome::Accepted)], &later), [IN_THE_LOG]);
        let elsewhere = [inventory(1, 1, 1, "inventory.reserved", 2)];
        assert_eq!(violated_by(vec![attempt(1, Outcome::Accepted)], &elsewhere), [IN_THE_LOG]);
    }

    #[test]
    fn other_lines_than_asked_for_are_found() {
        let mut other = attempt(1, Outcome::Accepted);
        other.items[0].quantity = 3;
        assert_eq!(violated_by(vec![other], &[order(1, 1, 1, "order.created")]), [AS_ASKED]);
    }

    #[test]
    fn a_token_that_names_another_event_is_found() {
        assert_eq!(violated_by(vec![attempt(1, Outcome::Accepted)], &[order(2, 1, 1, "order.created")]), [TOKEN]);
    }

    #[test]
    fn a_second_order_of_a_key_is_found_although_nobody_was_told_of_it() {
        let mut twin = order(2, 7, 1, "order.created");
        twin.event = order(2, 1, 1, "order.created").event;
        let rows = [order(1, 1, 1, "order.created"), twin];
        assert_eq!(violated_by(vec![attempt(1, Outcome::Accepted)], &rows), [ONE_ORDER]);
    }

    #[test]
    fn a_refused_order_in_the_log_is_found_unless_an_attempt_stayed_unknown() {
        let rows = [order(1, 1, 1, "order.created")];
        assert_eq!(violated_by(vec![attempt(1, Outcome::Refused)], &rows), [NOTHING_STORED]);
        assert_eq!(violated_by(vec![attempt(1, Outcome::Unknown), attempt(1, Outcome::Refused)], &rows), [""; 0]);
    }

    #[test]
    fn a_lost_cancellation_is_found() {
        let mut cancel = attempt(1, Outcome::Accepted);
        cancel.action = Action::Cancel;
        let created = order(1, 1, 1, "order.created");
        assert_eq!(violated_by(vec![cancel.clone()], std::slice::from_ref(&created)), [CANCELLED]);
        assert_eq!(violated_by(vec![cancel], &[created, order(2, 1, 2, "order.cancelled")]), [""; 0]);
    }
}
