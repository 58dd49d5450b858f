//! What holds of every model whose rows several partitions feed: parts join to the whole, and nobody can tell in which order
//! the partitions were read.

use std::collections::VecDeque;

use proptest::prelude::*;

use super::lives::{Life, RowsOf, any_life, rows};
use super::{CustomerValue, DailyRevenue, OrderFunnel, TopProducts};
use crate::domain::order::Event;
use crate::read_model::{Projection, Recorded, Row};

/// The events of each partition, in its order.
type Partitions = Vec<Vec<Recorded<Event>>>;

/// Orders, each in one partition, each partition with a few.
fn any_partitions() -> impl Strategy<Value = Partitions> {
    prop::collection::vec(prop::collection::vec(any_life(), 0..6), 1..5)
        .prop_map(|partitions| partitions.iter().map(|lives| lives.iter().flat_map(Life::events).collect()).collect())
}

fn merged<P: Projection<Event = Event>>(mut into: RowsOf<P>, part: RowsOf<P>) -> RowsOf<P> {
    for (key, row) in part {
        P::merge(into.entry(key).or_insert_with_key(P::Row::empty), row);
    }
    into
}

/// One event of any partition after the other: `picks` says of which.
fn interleaved(partitions: &Partitions, picks: &[prop::sample::Index]) -> Vec<Recorded<Event>> {
    let mut left: Vec<VecDeque<_>> = partitions.iter().map(|events| events.iter().cloned().collect()).collect();
    let mut picks = picks.iter().cycle();
    let mut events = Vec::new();
    loop {
        left.retain(|partition| !partition.is_empty());
        let Some(pick) = picks.next().filter(|_| !left.is_empty()) else { return events };
        let pick = pick.index(left.len());
        events.extend(left[pick].pop_front());
    }
}

/// Parts in this order, in the opposite one, and joined to one another first.
fn holds<P>(partitions: &Partitions, picks: &[prop::sample::Index]) -> Result<(), TestCaseError>
where
    P: Projection<Event = Event>,
    P::Row: std::fmt::Debug + PartialEq,
{
    let whole = rows::<P>(partitions.concat());
    let parts = || partitions.iter().map(|events| rows::<P>(events.clone()));
    prop_assert_eq!(&parts().fold(RowsOf::<P>::new(), merged::<P>), &whole);
    prop_assert_eq!(&parts().rev().fold(RowsOf::<P>::new(), merged::<P>), &whole);
    let (front, back): (Vec<_>, Vec<_>) = parts().enumerate().partition(|(no, _)| no % 2 == 0);
    let join = |parts: Vec<(usize, RowsOf<P>)>| {
        parts.into_iter().fold(RowsOf::<P>::new(), |into, (_, part)| merged::<P>(into, part))
    };
    prop_assert_eq!(&merged::<P>(join(back), join(front)), &whole);
    prop_assert_eq!(&rows::<P>(interleaved(partitions, picks)), &whole);
    // What was folded so far goes on from a part as from the whole.
    if let Some((last, others)) = partitions.split_last() {
        let mut folded =
            others.iter().fold(RowsOf::<P>::new(), |into, part| merged::<P>(into, rows::<P>(part.clone())));
        for event in last {
            for key in P::keys(event) {
                P::fold(folded.entry(key).or_insert_with_key(P::Row::empty), event);
            }
        }
        prop_assert_eq!(&folded, &whole);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn parts_join_to_the_whole_and_no_order_of_partitions_is_seen(
        partitions in any_partitions(),
        picks in prop::collection::vec(any::<prop::sample::Index>(), 1..40),
    ) {
        holds::<CustomerValue>(&partitions, &picks)?;
        holds::<DailyRevenue>(&partitions, &picks)?;
        holds::<OrderFunnel>(&partitions, &picks)?;
        holds::<TopProducts>(&partitions, &picks)?;
    }
}
