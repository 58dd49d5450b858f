//! The end of the scenario: an operator looks through the dead letters, gives some up, mends the others and hands them back,
//! until none is left.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::{Value, json};
use sqlx::PgPool;

use super::super::Ending;
use super::{CONSUMERS, INVENTORY, NOTIFICATION, ORDERS, PANIC, POISON, pointer, user};
use crate::load::Chance;
use crate::storm::judge::Verdict;
use crate::storm::operator::Operator;
use crate::storm::stage::Stage;

const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How long a process may go by rules that are gone: it reads them twice a second.
const RULES_KNOWN_FOR: Duration = Duration::from_secs(1);
/// Letters given up for good, of a hundred.
const DISCARDED_PERCENT: u8 = 10;
/// Letters a second, and letters of one list: as many as there may be.
const MOST: u32 = 1_000;
/// Letters whose followers become letters, whose followers …: an order's life is shorter.
const ROUNDS: u32 = 6;

/// $1 consumer, $2 users whose orders it gives up on, $3 kind of the streams it reads: first events without a letter.
const OWED: &str = "SELECT count(*) FROM log c JOIN log l ON l.stream_id = $3 || split_part(c.stream_id, ':', 2) AND l.version = 1 \
     WHERE c.event_type = 'order.created' AND c.payload::json ->> 'userId' = ANY($2) \
       AND NOT EXISTS (SELECT FROM dead_letter d WHERE d.subscription = $1 AND d.stream_id = l.stream_id)";
/// Streams that are tried again.
const RETRIED: &str = "SELECT count(*) FROM parked_stream WHERE letter_id IS NULL";
const TRIPPED: &str = "SELECT subscription FROM subscription_control WHERE tripped_at IS NOT NULL";
const STREAMS: &str = "SELECT count(DISTINCT stream_id) FROM log";
const LETTERS: &str = "SELECT subscription || ', ' || class, count(*) FROM dead_letter GROUP BY 1 ORDER BY 1";

pub async fn mend(stage: &mut Stage, seed: u64, within: Duration) -> anyhow::Result<Ending> {
    for node in &mut stage.nodes {
        node.ready().await?;
    }
    let operator = Operator::at(&stage.nodes[0].sight.ops_url)?;
    let db = stage.db.clone();
    await_letters(&db, within).await?;
    let letters: Vec<(String, i64)> =
        sqlx::query_as(LETTERS).fetch_all(&db).await.context("no letters could be read")?;
    let mut calm = Verdict::of("I4", "the breaker stops no consumer that fails this seldom");
    let tripped: Vec<String> = sqlx::query_scalar(TRIPPED).fetch_all(&db).await?;
    calm.check(tripped.is_empty(), || tripped.join(", "));
    let mut mending = Mending {
        operator,
        db: db.clone(),
        within,
        chance: Chance::of(seed, 900_000),
        done: Verdict::of("I4", "a replay of letters that were mended is done"),
        replayed: 0,
        discarded: 0,
    };
    // The rules still stand: only a letter whose payload is mended passes them.
    for (consumer, event_type) in [(INVENTORY, "order.created"), (ORDERS, "inventory.reserved")] {
        mending.give_some_up(consumer, event_type).await?;
        mending.replay(consumer, Some(patch(consumer))).await?;
    }
    mending.operator.act("faults/clear", json!({})).await?;
    tokio::time::sleep(RULES_KNOWN_FOR).await;
    mending.give_some_up(NOTIFICATION, "order.created").await?;
    mending.finish().await?;
    await_none_aside(&db, within).await?;

    let streams: i64 = sqlx::query_scalar(STREAMS).fetch_one(&db).await?;
    let Mending { done, replayed, discarded, .. } = mending;
    let mut figures: Vec<(String, String)> = vec![("streams".into(), streams.to_string())];
    figures.extend(letters.into_iter().map(|(what, count)| (format!("dead letters of {what}"), count.to_string())));
    figures.push(("letters replayed".into(), replayed.to_string()));
    figures.push(("letters discarded".into(), discarded.to_string()));
    Ok(Ending { verdicts: vec![done, calm], figures })
}

/// Until everything that is to have a letter has one, and nothing is tried again; what is missing then, the checker names.
async fn await_letters(db: &PgPool, within: Duration) -> anyhow::Result<()> {
    let began = Instant::now();
    while began.elapsed() < within {
        let mut awaited: i64 = sqlx::query_scalar(RETRIED).fetch_one(db).await?;
        for consumer in CONSUMERS {
            let users = [POISON, PANIC].map(|kind| user(consumer, kind));
            let kind = if consumer == ORDERS { "inventory:" } else { "order:" };
            let owed = sqlx::query_scalar::<_, i64>(OWED).bind(consumer).bind(users).bind(kind);
            awaited += owed.fetch_one(db).await?;
        }
        if awaited == 0 {
            break;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(())
}

/// Until nothing waits behind anything; what does then, the checker names.
async fn await_none_aside(db: &PgPool, within: Duration) -> anyhow::Result<()> {
    let began = Instant::now();
    while began.elapsed() < within && sqlx::query_scalar::<_, i64>(RETRIED).fetch_one(db).await? > 0 {
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(())
}

fn patch(consumer: &str) -> Value {
    json!([{ "op": "replace", "path": pointer(consumer), "value": "mended" }])
}

struct Mending {
    operator: Operator,
    db: PgPool,
    within: Duration,
    chance: Chance,
    done: Verdict,
    replayed: i64,
    discarded: usize,
}

impl Mending {
    async fn open(&self, consumer: &str, narrowed: &str) -> anyhow::Result<Vec<String>> {
        let answer = self.operator.ask(&format!("dlq?consumer={consumer}&state=open&limit={MOST}{narrowed}")).await?;
        let letters = answer["letters"].as_array().context("the list of letters has none: see docs/guides")?;
        Ok(letters.iter().filter_map(|letter| letter["letterId"].as_str().map(str::to_owned)).collect())
    }

    /// The first letter and some others, of one type: what follows from leaving those out is known to the checker.
    async fn give_some_up(&mut self, consumer: &str, event_type: &str) -> anyhow::Result<()> {
        let open = self.open(consumer, &format!("&eventType={event_type}")).await?;
        let chosen: Vec<String> = open
            .into_iter()
            .enumerate()
            .filter_map(|(index, letter)| (self.chance.percent(DISCARDED_PERCENT) || index == 0).then_some(letter))
            .collect();
        if !chosen.is_empty() {
            self.discarded += chosen.len();
            self.operator.act("dlq/discard", json!({ "letterIds": chosen })).await?;
        }
        Ok(())
    }

    /// One replay of everything that is open, until it has ended.
    async fn replay(&mut self, consumer: &str, patch: Option<Value>) -> anyhow::Result<()> {
        if self.open(consumer, "").await?.is_empty() {
            return Ok(());
        }
        let mut args = json!({ "consumer": consumer, "perSecond": MOST });
        if let Some(patch) = patch {
            args["patch"] = patch;
        }
        let asked = self.operator.act("dlq/replay", args).await?;
        let began = Instant::now();
        loop {
            let answer = self.operator.ask(&format!("dlq/replays?consumer={consumer}")).await?;
            let replays = answer["replays"].as_array().context("there are no replays")?;
            let replay = replays.iter().find(|replay| replay["replayId"] == asked["replayId"]);
            let replay = replay.with_context(|| format!("the replay {} is not listed", asked["replayId"]))?;
            if replay["state"] != "running" {
                self.replayed += replay["done"].as_i64().unwrap_or(0);
                self.done.check(replay["state"] == "done", || replay.to_string());
                return Ok(());
            }
            self.let_go_on().await?;
            if began.elapsed() >= self.within {
                bail!("a replay of {consumer} has not ended within {:?}: {replay}", self.within);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// While the rules stand, the followers of mended letters fail one after the other, and nothing else comes in: the breaker
    /// is right to stop that, and whoever knows why resumes.
    async fn let_go_on(&self) -> anyhow::Result<()> {
        let tripped: Vec<String> = sqlx::query_scalar(TRIPPED).fetch_all(&self.db).await?;
        for consumer in tripped {
            self.operator.act("consumers/resume", json!({ "consumer": consumer })).await?;
        }
        Ok(())
    }

    /// Until no letter is open: what waited behind one may have become one, as long as the rules stood.
    async fn finish(&mut self) -> anyhow::Result<()> {
        for _ in 0..ROUNDS {
            let mut was_open = false;
            for consumer in CONSUMERS {
                was_open |= !self.open(consumer, "").await?.is_empty();
                self.replay(consumer, None).await?;
            }
            if !was_open {
                return Ok(());
            }
        }
        Ok(())
    }
}
