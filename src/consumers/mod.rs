//! Every consumer: events in, decisions out. One file each, and the list.

pub mod inventory;
pub mod notification;
pub mod orders;

use std::sync::Arc;

use crate::subscription::{Consumer, Folds, Handler, OnDeadLetter, handler};

pub use inventory::{Inventory, Receiving};
pub use notification::Notification;
pub use orders::Orders;

/// A consumer as the list knows it.
pub struct Listed {
    /// Its name and group.
    pub name: &'static str,
    /// What it reads.
    pub topics: &'static [&'static str],
    /// What it does.
    pub handler: Arc<dyn Handler>,
    /// What becomes of a stream whose event is a dead letter.
    pub on_dead_letter: OnDeadLetter,
    /// The read models it keeps.
    pub folds: Folds,
}

fn listed<C: Consumer>(consumer: C) -> Listed {
    Listed {
        name: C::NAME,
        topics: C::TOPICS,
        on_dead_letter: C::ON_DEAD_LETTER,
        folds: C::folds(),
        handler: handler(consumer),
    }
}

/// Every consumer there is.
#[must_use]
pub fn all() -> Vec<Listed> {
    vec![listed(Inventory::default()), listed(Orders), listed(Notification)]
}

/// Their names.
pub const NAMES: &[&str] = &[Inventory::NAME, Orders::NAME, Notification::NAME];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_consumers_share_a_name_and_so_a_group() {
        let mut names: Vec<_> = all().iter().map(|consumer| consumer.name).collect();
        assert_eq!(names, NAMES);
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), NAMES.len());
    }
}
