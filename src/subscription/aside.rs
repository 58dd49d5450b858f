//! What a batch leaves behind it in its transaction: streams set aside with their events, and dead letters.

use sqlx::PgConnection;

use super::admit::Entry;
use super::dead_letter::{self, DeadLetter, Verdict};
use super::judge::Judged;
use super::pass::{Fate, Item, PassError};
use super::{Lane, Subscription, breaker, parking};
use crate::{clock, telemetry};

/// Sets streams aside whose event has failed, and queues what came after it.
pub(super) async fn set_aside(
    subscription: &Subscription,
    lane: &Lane,
    judged: &Judged<'_>,
    tx: &mut PgConnection,
) -> Result<(), PassError> {
    if judged.newly.is_empty() && judged.behind.is_empty() {
        return Ok(());
    }
    let config = &subscription.config;
    if !judged.newly.is_empty() {
        let aside = parking::streams(&lane.subscription, &mut *tx).await?;
        let wanted = aside + i64::try_from(judged.newly.len()).unwrap_or(i64::MAX);
        if wanted > i64::from(config.parked_streams) {
            return Err(PassError::Full(format!(
                "{aside} streams are set aside, {} may be at most",
                config.parked_streams
            )));
        }
    }
    for newly in &judged.newly {
        parking::set_aside(lane, newly.stream_id, newly.verdict, newly.letter, newly.after, tx).await?;
    }
    if let Some((stream, _)) = judged.depths.iter().find(|(_, depth)| **depth > config.parked_depth) {
        return Err(PassError::Full(format!(
            "{} events wait behind the failure of {stream}, more may not",
            config.parked_depth
        )));
    }
    parking::queue(lane, &judged.behind, tx).await?;
    Ok(())
}

/// Writes the letters, and looks whether there are too many.
pub(super) async fn bury(
    subscription: &Subscription,
    lane: &Lane,
    items: &[Item],
    judged: &Judged<'_>,
    tx: &mut PgConnection,
) -> Result<u64, PassError> {
    let letters: Vec<(usize, DeadLetter)> = items
        .iter()
        .enumerate()
        .filter_map(|(place, item)| {
            let letter = match (&item.entry, &item.fate) {
                (Entry::Event(delivered), Fate::Letter(verdict)) if judged.buried.contains(&delivered.event_id) => {
                    DeadLetter::of_event(verdict.letter_id, lane, delivered, verdict.clone())
                }
                (Entry::Foreign { record, reason }, _) => DeadLetter::of_foreign(
                    clock::new_id(),
                    lane,
                    record,
                    Verdict::on_foreign(reason, lane, clock::now()),
                ),
                (Entry::Event(_), _) => return None,
            };
            Some((place, letter))
        })
        .collect();
    if letters.is_empty() {
        return Ok(0);
    }
    let before = breaker::outcomes(&lane.subscription, tx).await?;
    let mut written = 0;
    for (place, letter) in letters {
        // What else of the batch is applied lies between its letters.
        let number = before + 1 + i64::try_from(place).unwrap_or(0);
        written += u64::from(dead_letter::store(&letter, number, tx).await?);
    }
    if let Some(why) = breaker::look(&subscription.name, tx).await? {
        telemetry::subscription::tripped(&subscription.name, Some(&why));
    }
    Ok(written)
}
