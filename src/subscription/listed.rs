//! A consumer as a list knows it, and what holds of a list: no name twice, for a name is a Kafka group.

use std::collections::HashMap;
use std::panic::Location;
use std::sync::Arc;

use super::consumer::{Consumer, Folding, Folds, Handler, OnDeadLetter, handler};

/// Most characters of a name: it becomes part of the name of a topic, `dlq.<name>`.
const NAME_MAX: usize = 64;

/// A consumer as a list knows it.
#[derive(Clone)]
pub struct Listed {
    /// Its name: its role, its Kafka group, and its topic of dead letters.
    pub name: &'static str,
    /// What it reads.
    pub topics: &'static [&'static str],
    /// What it does.
    pub handler: Arc<dyn Handler>,
    /// What becomes of a stream whose event is a dead letter.
    pub on_dead_letter: OnDeadLetter,
    /// The read models it keeps.
    pub folds: Folds,
    /// What they are folded from.
    pub folding: Folding,
    /// Whether it sends commands: the aggregates run wherever it does.
    pub commands: bool,
    /// Where it was listed.
    pub place: &'static Location<'static>,
}

impl Listed {
    /// The same, of a consumer whose [`Consumer::commands`] answers with any.
    #[must_use]
    pub fn with_commands(self) -> Self {
        Self { commands: true, ..self }
    }
}

/// Makes a consumer an entry of a list, which remembers the line this is written on.
#[must_use]
#[track_caller]
pub fn listed<C: Consumer>(consumer: C) -> Listed {
    Listed {
        name: C::NAME,
        topics: C::TOPICS,
        handler: handler(consumer),
        on_dead_letter: C::ON_DEAD_LETTER,
        folds: C::folds(),
        folding: C::FOLDING,
        commands: false,
        place: Location::caller(),
    }
}

/// Why consumers cannot run under their names; each says where the consumer was listed, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Another consumer has the name.
    #[error(
        "two consumers are named {name:?}, listed at {first} and at {second}: they would be one Kafka group and take \
         each other's partitions; rename one of them"
    )]
    Twice {
        /// The name.
        name: &'static str,
        /// Where the first was listed.
        first: &'static Location<'static>,
        /// Where the second was listed.
        second: &'static Location<'static>,
    },
    /// Something that is no consumer has the name.
    #[error("the consumer listed at {place} is named {name:?}, which is a name of ordo's own; rename it")]
    Taken {
        /// The name.
        name: &'static str,
        /// Where it was listed.
        place: &'static Location<'static>,
    },
    /// No name of a role, a group and a topic.
    #[error("the consumer listed at {place} is named {name:?}; a name is 1 to {NAME_MAX} of a-z, 0-9, '-' and '_'")]
    Unusable {
        /// The name.
        name: &'static str,
        /// Where it was listed.
        place: &'static Location<'static>,
    },
}

/// Whether each of `consumers` has a name of its own, which is none of `taken`.
///
/// # Errors
/// [`NameError`] about the first that has not.
pub fn check_names(consumers: &[Listed], taken: &[&str]) -> Result<(), NameError> {
    let mut places: HashMap<&'static str, &'static Location<'static>> = HashMap::new();
    for &Listed { name, place, .. } in consumers {
        if !is_usable(name) {
            return Err(NameError::Unusable { name, place });
        }
        if taken.contains(&name) {
            return Err(NameError::Taken { name, place });
        }
        if let Some(first) = places.insert(name, place) {
            return Err(NameError::Twice { name, first, second: place });
        }
    }
    Ok(())
}

fn is_usable(name: &str) -> bool {
    let fits = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "-_".contains(letter);
    (1..=NAME_MAX).contains(&name.len()) && name.chars().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subscription::{Reads, Unreadable};

    #[derive(Clone)]
    struct Nothing;

    impl Reads for Nothing {
        const TYPES: &'static [&'static str] = &[];
        fn read(_: &str, _: &str) -> Result<Option<Self>, Unreadable> {
            Ok(None)
        }
    }

    macro_rules! named {
        ($consumer:ident, $name:expr) => {
            struct $consumer;

            impl Consumer for $consumer {
                const NAME: &'static str = $name;
                const TOPICS: &'static [&'static str] = &[];
                type Reads = Nothing;
            }
        };
    }

    named!(Points, "points");
    named!(Others, "points");
    named!(Relay, "relay");
    named!(Spaced, "my points");

    #[test]
    fn a_name_given_twice_is_told_with_both_places() {
        let first = line!() + 1;
        let twice = [listed(Points), listed(Relay), listed(Others)];
        let told = check_names(&twice, &[]).unwrap_err().to_string();
        let [one, _, other] = twice.each_ref().map(|listed| listed.place.to_string());
        assert!(one.contains(&format!("listed.rs:{first}:")) && one != other, "{one} {other}");
        assert!(told.contains(&one) && told.contains(&other) && told.contains("rename one"), "{told}");
        assert_eq!(told.lines().count(), 1);
    }

    #[test]
    fn a_name_of_ordos_own_or_one_no_topic_can_have_is_told_with_its_place() {
        for (consumer, why) in [(listed(Relay), "ordo's own"), (listed(Spaced), "a-z")] {
            let told = check_names(std::slice::from_ref(&consumer), &["relay"]).unwrap_err().to_string();
            assert!(told.contains(&consumer.place.to_string()) && told.contains(why), "{told}");
        }
        assert_eq!(check_names(&[listed(Points)], &["relay"]), Ok(()));
    }
}
