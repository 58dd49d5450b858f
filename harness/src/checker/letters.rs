//! Dead letters as the checker sees them, and what follows for the other rules where an operator gave some up for good.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use super::log::Log;

/// A letter of an event of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    pub consumer: String,
    pub stream_id: String,
    pub version: i32,
    pub event_type: String,
    /// `open`, `resolved` or `discarded`.
    pub state: String,
}

impl Letter {
    /// The order it is about, which every stream of a consumer's source names second.
    pub fn order(&self) -> Option<Uuid> {
        self.stream_id.split(':').nth(1)?.parse().ok()
    }

    pub fn name(&self) -> String {
        let Self { consumer, stream_id, version, event_type, state } = self;
        format!("{consumer}: {stream_id} v{version} {event_type} ({state})")
    }
}

/// Orders of which a consumer was made to leave something out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Discarded {
    /// Inventory never decided about them.
    pub undecided: HashSet<Uuid>,
    /// What inventory decided never reached them.
    pub unfollowed: HashSet<Uuid>,
    /// So many notifications of them are left out.
    pub untold: HashMap<Uuid, u32>,
}

impl Discarded {
    pub fn of(letters: &[Letter]) -> Self {
        let mut discarded = Self::default();
        for letter in letters.iter().filter(|letter| letter.state == "discarded") {
            let Some(order) = letter.order() else { continue };
            match (letter.consumer.as_str(), letter.event_type.as_str()) {
                ("inventory", "order.created") => _ = discarded.undecided.insert(order),
                ("orders", _) => _ = discarded.unfollowed.insert(order),
                ("notification", _) => *discarded.untold.entry(order).or_default() += 1,
                // Anything else left out breaks a rule, which then says so.
                _ => (),
            }
        }
        discarded
    }

    /// Whether an order may have no outcome.
    pub fn leaves_open(&self, order: Uuid) -> bool {
        self.undecided.contains(&order) || self.unfollowed.contains(&order)
    }

    /// What rest need not wait for.
    pub async fn excused(&self, log: &Log) -> anyhow::Result<Excused> {
        Ok(Excused {
            undecided: self.undecided.len() as i64,
            open: log.without_outcome(self.undecided.iter().chain(&self.unfollowed).copied()).await?,
            unfollowed: log.without_outcome(self.unfollowed.iter().copied()).await?,
            untold: self.untold.values().copied().map(i64::from).sum(),
        })
    }
}

/// The same in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Excused {
    /// Orders that inventory never decides about.
    pub undecided: i64,
    /// Orders that keep waiting for their outcome.
    pub open: i64,
    /// Of these, those that keep what was reserved for them.
    pub unfollowed: i64,
    pub untold: i64,
}

#[cfg(test)]
pub(crate) mod fabricated {
    use super::*;
    use crate::checker::row::fabricated::order_id;

    /// A letter about the first event of one of order `number`'s streams.
    pub fn letter(consumer: &str, kind: &str, number: u128, event_type: &str, state: &str) -> Letter {
        Letter {
            consumer: consumer.into(),
            stream_id: format!("{kind}:{}", order_id(number)),
            version: 1,
            event_type: event_type.into(),
            state: state.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::fabricated::letter;
    use super::*;
    use crate::checker::row::fabricated::order_id;

    #[test]
    fn only_what_was_discarded_is_excused() {
        let discarded = Discarded::of(&[
            letter("inventory", "order", 1, "order.created", "discarded"),
            letter("orders", "inventory", 2, "inventory.reserved", "discarded"),
            letter("notification", "order", 3, "order.created", "discarded"),
            letter("inventory", "order", 4, "order.created", "resolved"),
            letter("inventory", "order", 5, "order.cancelled", "discarded"),
        ]);
        assert_eq!(discarded.undecided, [order_id(1)].into());
        assert_eq!(discarded.unfollowed, [order_id(2)].into());
        assert_eq!(discarded.untold, [(order_id(3), 1)].into());
    }
}
