//! How far the system is behind, as its log shows it: the age of the oldest order that nobody has decided.

use std::time::{Duration, Instant};

use anyhow::Context;
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::PgPool;

const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Below it the system has caught up, on a machine that is fast enough for the load.
const CAUGHT_UP: Duration = Duration::from_secs(1);
/// So many times the longest wait of a time when nothing is broken is no wait worth telling of: what a machine does at its
/// best says what it can come back to.
const ORDINARY_TIMES: u32 = 3;

const HEADS: &str = "SELECT position FROM log_head ORDER BY partition";
/// $1 partitions, $2 positions up to which every order is decided, $3 users whose orders are meant to wait: head, and the
/// oldest undecided order with its age.
const OLDEST: &str = "SELECT h.position, o.position, extract(epoch from clock_timestamp() - o.recorded_at)::float8 \
     FROM unnest($1::smallint[], $2::bigint[]) AS asked(partition, after) \
     JOIN log_head h ON h.partition = asked.partition \
     LEFT JOIN LATERAL (SELECT c.position, c.recorded_at FROM log c \
         WHERE c.partition = asked.partition AND c.position > asked.after AND c.event_type = 'order.created' \
           AND ($3::text[] = '{}' OR NOT c.payload::json ->> 'userId' = ANY($3)) \
           AND NOT EXISTS (SELECT FROM log d WHERE d.stream_id = c.stream_id AND d.version > 1 \
               AND d.event_type IN ('order.confirmed', 'order.rejected', 'order.cancelled')) \
         ORDER BY c.position LIMIT 1) o ON true ORDER BY asked.partition";
/// $1 partitions, $2 positions, $3 time: the first event of each kind recorded after that time.
const FIRST: &str = "SELECT min(recorded_at) FILTER (WHERE event_type = 'order.created'), \
            min(recorded_at) FILTER (WHERE event_type = 'order.confirmed') \
     FROM unnest($1::smallint[], $2::bigint[]) AS asked(partition, after) \
     JOIN log l ON l.partition = asked.partition AND l.position > asked.after AND l.recorded_at > $3";

/// Seconds from a fault's end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Recovery {
    /// To the first order accepted.
    pub accepted: Option<f64>,
    /// To the first order confirmed.
    pub confirmed: Option<f64>,
    /// Until no order was undecided for longer than is allowed.
    pub caught_up: Option<f64>,
}

impl Recovery {
    fn is_complete(&self) -> bool {
        self.accepted.is_some() && self.confirmed.is_some() && self.caught_up.is_some()
    }
}

/// Follows the log past what is decided.
pub struct Lag {
    db: PgPool,
    partitions: Vec<i16>,
    decided: Vec<i64>,
    waiting_users: Vec<String>,
    events: i64,
    allowed: Duration,
}

impl Lag {
    pub async fn of(db: PgPool, waiting_users: Vec<String>) -> anyhow::Result<Self> {
        let heads: Vec<i64> =
            sqlx::query_scalar(HEADS).fetch_all(&db).await.context("could not read log_head: run `ordo migrate`")?;
        let partitions = (0..i16::try_from(heads.len())?).collect();
        let events = heads.iter().sum();
        Ok(Self { db, partitions, decided: vec![0; heads.len()], waiting_users, events, allowed: CAUGHT_UP })
    }

    /// How many the log had when it was last looked at.
    pub fn events(&self) -> i64 {
        self.events
    }

    /// Looks on while nothing is broken, and from then on allows three times what orders waited then, a second at least.
    /// Answers with both. A wait is that of the quietest second: what a cold start delays says nothing of the machine.
    pub async fn learn_ordinary(&mut self, during: Duration) -> (Duration, Duration) {
        let (began, mut seconds) = (Instant::now(), Vec::<Duration>::new());
        while began.elapsed() < during {
            let longest = self.look().await.unwrap_or(during);
            seconds.resize(began.elapsed().as_secs() as usize + 1, Duration::ZERO);
            if let Some(second) = seconds.last_mut() {
                *second = longest.max(*second);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        let ordinary = seconds.into_iter().filter(|longest| !longest.is_zero()).min().unwrap_or_default();
        self.allowed = CAUGHT_UP.max(ordinary * ORDINARY_TIMES);
        (ordinary, self.allowed)
    }

    /// `None` when Postgres does not answer.
    async fn look(&mut self) -> Option<Duration> {
        let asked = sqlx::query_as::<_, (i64, Option<i64>, Option<f64>)>(OLDEST)
            .bind(&self.partitions)
            .bind(&self.decided)
            .bind(&self.waiting_users)
            .fetch_all(&self.db);
        let rows = tokio::time::timeout(Duration::from_secs(5), asked).await.ok()?.ok()?;
        let mut oldest = 0.0_f64;
        self.events = rows.iter().map(|(head, ..)| head).sum();
        for (decided, (head, undecided, age)) in self.decided.iter_mut().zip(rows) {
            *decided = undecided.map_or(head, |position| position - 1);
            oldest = oldest.max(age.unwrap_or(0.0));
        }
        Some(Duration::from_secs_f64(oldest.max(0.0)))
    }

    async fn first_after(&self, from: &[i64], healed: DateTime<Utc>, recovery: &mut Recovery) {
        let asked = sqlx::query_as::<_, (Option<DateTime<Utc>>, Option<DateTime<Utc>>)>(FIRST)
            .bind(&self.partitions)
            .bind(from)
            .bind(healed)
            .fetch_one(&self.db);
        let Ok(Ok((accepted, confirmed))) = tokio::time::timeout(Duration::from_secs(5), asked).await else { return };
        let since = |at: DateTime<Utc>| (at - healed).as_seconds_f64();
        recovery.accepted = accepted.map(since);
        recovery.confirmed = confirmed.map(since);
    }

    /// Until orders are accepted, confirmed and none is late, for `within` at most.
    pub async fn recover(&mut self, healed: DateTime<Utc>, within: Duration) -> Recovery {
        let began = Instant::now();
        let mut recovery = Recovery::default();
        let from = self.decided.clone();
        while began.elapsed() < within {
            if recovery.accepted.is_none() || recovery.confirmed.is_none() {
                self.first_after(&from, healed, &mut recovery).await;
            }
            let is_late = self.look().await.is_none_or(|lag| lag >= self.allowed);
            // Nothing undecided means nothing while nothing has come in yet.
            recovery.caught_up = recovery.caught_up.filter(|_| !is_late);
            if !is_late && recovery.accepted.is_some() {
                recovery.caught_up = recovery.caught_up.or(Some(began.elapsed().as_secs_f64()));
            }
            if recovery.is_complete() {
                break;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        recovery
    }
}
