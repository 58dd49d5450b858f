//! `consumers seek`: a consumer reads a topic partition again from an earlier offset. Never a way forward: what it has
//! not read would be lost for it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

use crate::ops::action::{Action, By, Refused};
use crate::ops::consumer::named;
use crate::subscription::Lane;
use crate::subscription::control::{self, Place};

/// Which partition, and from where.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Args {
    /// The consumer, from `consumers list`.
    pub consumer: String,
    /// The topic, without a prefix.
    #[arg(long)]
    pub topic: String,
    /// Its partition.
    #[arg(long)]
    #[schemars(range(min = 0))]
    pub partition: i16,
    /// The record to be read next: 0 up to the one it reads next anyway.
    #[arg(long, allow_negative_numbers = true)]
    #[schemars(range(min = 0))]
    pub offset: i64,
}

/// Where it stood when the plan was made, and where it is to begin.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// The consumer.
    pub consumer: String,
    /// The topic.
    pub topic: String,
    /// Its partition.
    pub partition: i16,
    /// The record it would have read next.
    pub next_offset: i64,
    /// The record it is to read next.
    pub offset: i64,
}

/// What it did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// Records that are read again.
    pub read_again: i64,
    /// How many of them are known, and so have no second effect.
    pub suppressed: i64,
    /// The same in words.
    pub said: String,
}

/// The action itself.
#[derive(Debug)]
pub struct SeekConsumer;

impl Action for SeekConsumer {
    const NAME: &'static str = "consumers seek";
    const ABOUT: &'static str =
        "Let a consumer read a topic partition again from an earlier offset; nothing has a second effect";
    const EXAMPLE: &'static str = "ordo consumers seek inventory --topic order.events --partition 3 --offset 0 --reason 'topic restored' --dry-run";
    type Args = Args;
    type Plan = Plan;
    type Outcome = Outcome;

    async fn plan(args: Args, tx: &mut PgConnection) -> Result<Plan, Refused> {
        let Args { consumer, topic, partition, offset } = args;
        named(&consumer, tx).await?;
        let lanes = control::lanes(&consumer, tx).await?;
        if !lanes.contains(&(topic.clone(), partition)) {
            return Err(Refused::NotFound(not_read(&consumer, &topic, partition, &lanes)));
        }
        let lane = Lane { subscription: consumer, source: topic, partition };
        let place = place(&lane, tx).await?;
        check(&lane, &place, offset)?;
        let Lane { subscription: consumer, source: topic, .. } = lane;
        Ok(Plan { consumer, topic, partition, next_offset: place.next_offset, offset })
    }

    async fn execute(plan: Plan, _by: By<'_>, tx: &mut PgConnection) -> Result<Outcome, Refused> {
        let lane = Lane { subscription: plan.consumer, source: plan.topic, partition: plan.partition };
        // It may have moved since the plan was made: how much comes again is told of where it stands now.
        let place = place(&lane, tx).await?;
        check(&lane, &place, plan.offset)?;
        control::seek(&lane, plan.offset, tx).await?;
        Ok(outcome(&lane, &place, plan.offset))
    }
}

async fn place(lane: &Lane, tx: &mut PgConnection) -> Result<Place, Refused> {
    let place = control::place(lane, tx).await?;
    place.ok_or_else(|| Refused::NotFound(format!("there is no place of {lane}")))
}

fn not_read(consumer: &str, topic: &str, partition: i16, lanes: &[(String, i16)]) -> String {
    let lanes: Vec<String> = lanes.iter().map(|(topic, partition)| format!("{topic} {partition}")).collect();
    format!("{consumer} does not read {topic:?} partition {partition}; it reads {}", lanes.join(", "))
}

fn check(lane: &Lane, place: &Place, offset: i64) -> Result<(), Refused> {
    match offset {
        offset if offset < 0 => Err(Refused::Invalid(format!("{offset} is no offset: the first record has 0"))),
        offset if offset > place.next_offset => Err(Refused::NotNow(format!(
            "{lane} reads {} next, and {offset} is beyond: the records between would never be applied. An event that is in \
             the way is given up with `ordo dlq discard`, which says so for ever; rows that are wrong are made anew by a \
             rebuild of their read model",
            place.next_offset
        ))),
        _ => Ok(()),
    }
}

fn outcome(lane: &Lane, place: &Place, offset: i64) -> Outcome {
    let read_again = place.next_offset - offset;
    let how = if control::is_known_by_position(&lane.source) {
        format!("by position, since each is at or below {}, the last one applied", place.position)
    } else {
        "by event id, since the ledger keeps every event of a topic without positions".to_owned()
    };
    let said = format!(
        "{lane} begins anew at {offset}. Records read again: {read_again}. All of them are suppressed {how}, and counted as \
         duplicates: nothing takes effect twice."
    );
    Outcome { read_again, suppressed: read_again, said }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane(topic: &str) -> Lane {
        Lane { subscription: "inventory".to_owned(), source: topic.to_owned(), partition: 0 }
    }

    const PLACE: Place = Place { next_offset: 10, position: 25, epoch: 3, sought_until: None };

    #[test]
    fn a_place_moves_back_and_never_forward() {
        let lane = lane("order.events");
        for good in [0, 9, 10] {
            assert!(check(&lane, &PLACE, good).is_ok(), "{good}");
        }
        assert!(matches!(check(&lane, &PLACE, -1), Err(Refused::Invalid(_))));
        let Err(Refused::NotNow(why)) = check(&lane, &PLACE, 11) else { panic!("11 is beyond 10") };
        assert!(why.contains("ordo dlq discard") && why.contains("rebuild"), "{why}");
    }

    #[test]
    fn what_comes_again_is_counted_and_all_of_it_is_known() {
        let done = outcome(&lane("order.events"), &PLACE, 4);
        assert_eq!((done.read_again, done.suppressed), (6, 6));
        assert!(done.said.contains("read again: 6") && done.said.contains("by position"), "{}", done.said);
        let mirrored = outcome(&lane("order.created"), &PLACE, 4);
        assert!(mirrored.said.contains("by event id"), "{}", mirrored.said);
    }
}
