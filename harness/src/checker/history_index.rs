//! The histories, folded to what is known of each key. Attempts of one key may lie in several files.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use super::finding::Finding;
use crate::history::{Action, Attempt, Outcome};
use crate::wire::digest::Digest;
use crate::wire::lines::Lines;
use crate::wire::token::Token;

pub const SAME_ANSWER: &str = "a key accepted again names the same order and token";
pub const WHOLE_ANSWER: &str = "an acceptance names its order and its position";
pub const OWN_ORDER: &str = "two keys never name one order";

pub struct Post {
    pub user: Digest,
    /// User and merged lines, as they were asked for.
    pub asked: Digest,
    pub accepted: Option<Accepted>,
    /// False as soon as one attempt was not refused: it may have taken effect.
    pub only_refused: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    pub order: Uuid,
    pub token: Token,
}

pub struct HistoryIndex {
    posts: HashMap<Uuid, Post>,
    /// Orders whose cancellation was accepted.
    cancelled: HashSet<Uuid>,
    pub attempts: u64,
    same_answer: Finding,
    whole_answer: Finding,
}

/// What the log is held against.
pub struct Indexed {
    pub posts: HashMap<Uuid, Post>,
    pub by_order: HashMap<Uuid, Uuid>,
    pub cancelled: HashSet<Uuid>,
    pub findings: Vec<Finding>,
}

/// What was asked for, in the form that a created order is compared in.
pub fn asked(user: &str, lines: &Lines) -> Digest {
    Digest::of(&(user, lines.digest()))
}

impl Default for HistoryIndex {
    fn default() -> Self {
        Self {
            posts: HashMap::new(),
            cancelled: HashSet::new(),
            attempts: 0,
            same_answer: Finding::of(SAME_ANSWER),
            whole_answer: Finding::of(WHOLE_ANSWER),
        }
    }
}

impl HistoryIndex {
    pub fn add(&mut self, attempt: Attempt) {
        self.attempts += 1;
        match attempt.action {
            Action::Create => self.add_create(attempt),
            Action::Cancel if attempt.outcome == Outcome::Accepted => {
                self.cancelled.extend(attempt.order_id);
            }
            Action::Cancel => (),
        }
    }

    fn add_create(&mut self, attempt: Attempt) {
        let post = self.posts.entry(attempt.key).or_insert_with(|| Post {
            user: Digest::of(attempt.user_id.as_str()),
            asked: asked(&attempt.user_id, &Lines::merged(attempt.items)),
            accepted: None,
            only_refused: true,
        });
        post.only_refused &= attempt.outcome == Outcome::Refused;
        if let (Some(first), Outcome::Refused) = (post.accepted, attempt.outcome) {
            let (key, order) = (attempt.key, first.order);
            self.same_answer.check(false, || format!("key {key}: order {order}, then refused: {:?}", attempt.code));
        }
        if attempt.outcome != Outcome::Accepted {
            return;
        }
        let token = attempt.position.as_deref().and_then(|token| token.parse().ok());
        let answer = attempt.order_id.zip(token).map(|(order, token)| Accepted { order, token });
        self.whole_answer.check(answer.is_some(), || {
            format!("key {}: order {:?}, position {:?}", attempt.key, attempt.order_id, attempt.position)
        });
        match (post.accepted, answer) {
            (Some(first), Some(again)) => self.same_answer.check(first == again, || {
                let (was, is) = (first.order, again.order);
                format!("key {}: order {was} at {}, then order {is} at {}", attempt.key, first.token, again.token)
            }),
            (None, answer) => post.accepted = answer,
            (Some(_), None) => (),
        }
    }

    pub fn finish(self) -> Indexed {
        let mut own_order = Finding::of(OWN_ORDER);
        let mut by_order = HashMap::new();
        for (key, post) in &self.posts {
            if let Some(accepted) = post.accepted {
                let other = by_order.insert(accepted.order, *key);
                own_order.check(other.is_none(), || format!("order {}: keys {key} and {other:?}", accepted.order));
            }
        }
        Indexed {
            posts: self.posts,
            by_order,
            cancelled: self.cancelled,
            findings: vec![self.whole_answer, self.same_answer, own_order],
        }
    }
}

#[cfg(test)]
pub(crate) mod fabricated {
    use super::*;
    use crate::clock;
    use crate::wire::lines::Line;

    /// An attempt to order two of `a` as `user-<number>`, answered with order `<number>` at position `<number>`.
    pub fn attempt(number: u128, outcome: Outcome) -> Attempt {
        let accepted = outcome == Outcome::Accepted;
        Attempt {
            action: Action::Create,
            key: Uuid::from_u128(1_000 + number),
            user_id: format!("user-{number}"),
            attempt: 1,
            order_id: accepted.then(|| Uuid::from_u128(number)),
            items: vec![Line { product_id: "a".into(), quantity: 2 }],
            sent_at: clock::now(),
            answered_at: None,
            status: None,
            retry_after: None,
            code: None,
            position: accepted.then(|| format!("0:{number}")),
            retries: 0,
            outcome,
            error: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::fabricated::attempt;
    use super::*;
    use crate::checker::checks::violated;

    fn violated_by(attempts: Vec<Attempt>) -> Vec<&'static str> {
        let mut index = HistoryIndex::default();
        attempts.into_iter().for_each(|attempt| index.add(attempt));
        violated(&index.finish().findings)
    }

    #[test]
    fn the_same_answer_twice_is_right() {
        let attempts = vec![attempt(1, Outcome::Unknown), attempt(1, Outcome::Accepted), attempt(1, Outcome::Accepted)];
        assert_eq!(violated_by(attempts), [""; 0]);
    }

    #[test]
    fn another_order_or_token_for_the_same_key_is_found() {
        let mut other_order = attempt(1, Outcome::Accepted);
        other_order.order_id = Some(Uuid::from_u128(2));
        assert_eq!(violated_by(vec![attempt(1, Outcome::Accepted), other_order]), [SAME_ANSWER]);
        let mut other_token = attempt(1, Outcome::Accepted);
        other_token.position = Some("0:9".into());
        assert_eq!(violated_by(vec![attempt(1, Outcome::Accepted), other_token]), [SAME_ANSWER]);
    }

    #[test]
    fn a_refusal_after_the_acceptance_is_found_and_one_before_it_is_right() {
        let (accepted, refused) = (|| attempt(1, Outcome::Accepted), || attempt(1, Outcome::Refused));
        assert_eq!(violated_by(vec![accepted(), refused()]), [SAME_ANSWER]);
        assert_eq!(violated_by(vec![refused(), accepted()]), [""; 0]);
    }

    #[test]
    fn an_acceptance_without_order_or_position_is_found() {
        let mut nameless = attempt(1, Outcome::Accepted);
        nameless.order_id = None;
        assert_eq!(violated_by(vec![nameless]), [WHOLE_ANSWER]);
        let mut placeless = attempt(1, Outcome::Accepted);
        placeless.position = Some("here".into());
        assert_eq!(violated_by(vec![placeless]), [WHOLE_ANSWER]);
    }

    #[test]
    fn one_order_under_two_keys_is_found() {
        let mut second = attempt(1, Outcome::Accepted);
        second.key = Uuid::from_u128(5);
        assert_eq!(violated_by(vec![attempt(1, Outcome::Accepted), second]), [OWN_ORDER]);
    }
}
