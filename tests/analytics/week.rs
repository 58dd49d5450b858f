//! A week of orders, written straight into the log of a database as if it had been that week.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use ordo::domain::order::{Command, Order, PricedLine};
use ordo::domain::{Aggregate, DomainEvent};
use uuid::Uuid;

use crate::support::Database;

/// How many orders it has.
pub const ORDERS: u32 = 900;
/// Its first day and its last one on which anything happens.
pub const DAYS: (&str, &str) = ("2026-03-02", "2026-03-31");

const BEGAN: &str = "2026-03-02T00:00:00Z";
const USERS: u32 = 37;

/// An event with the time it was recorded at.
struct Stored {
    at: DateTime<Utc>,
    stream_id: String,
    version: i32,
    event_type: &'static str,
    payload: String,
}

/// Numbers that repeat with every run and look like chance.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from((self.0 >> 33) % u64::from(limit)).unwrap()
    }
}

fn lines(chance: &mut Chance) -> Vec<PricedLine> {
    let currency = if chance.below(5) == 0 { "USD" } else { "EUR" }.parse().unwrap();
    (0..=chance.below(3))
        .map(|_| PricedLine {
            product_id: format!("product-{}", chance.below(9)).parse().unwrap(),
            quantity: 1 + chance.below(4),
            unit_price: i64::from(50 + chance.below(2_000)),
            product_version: 1,
            currency,
        })
        .collect()
}

/// What is done with an order, and how long after what was done before.
fn steps(chance: &mut Chance) -> Vec<(TimeDelta, Command)> {
    let soon = |chance: &mut Chance| TimeDelta::milliseconds(1 + i64::from(chance.below(400) * chance.below(400)));
    let later = |chance: &mut Chance| TimeDelta::minutes(1 + i64::from(chance.below(6_000)));
    let cancel = || Command::Cancel { reason: "too late".to_owned() };
    let reject = || Command::Reject { reason: "insufficient_stock".to_owned(), missing: Vec::new() };
    match chance.below(10) {
        0 => vec![],
        1 => vec![(soon(chance), reject())],
        2 => vec![(soon(chance), cancel())],
        3 | 4 => vec![(soon(chance), Command::Confirm)],
        5 => vec![(soon(chance), Command::Confirm), (later(chance), cancel())],
        6 | 7 => vec![(soon(chance), Command::Confirm), (later(chance), Command::Ship)],
        _ => vec![(soon(chance), Command::Confirm), (later(chance), Command::Ship), (later(chance), Command::Deliver)],
    }
}

/// The life of one order, as the domain decides it. It is recorded a little after each decision.
fn life(number: u32, chance: &mut Chance) -> Vec<Stored> {
    let mut at =
        BEGAN.parse::<DateTime<Utc>>().unwrap() + TimeDelta::milliseconds(i64::from(chance.below(604_800)) * 1_000);
    let id = Uuid::from_u128(0x0195_0000_0000_7000_8000_0000_0000_0000 + u128::from(number));
    let user_id = format!("user-{}", chance.below(USERS)).parse().unwrap();
    let place = Command::Place { order_id: id.into(), user_id, lines: lines(chance) };
    let mut order = Order::default();
    let mut stored = Vec::new();
    for (after, command) in [(TimeDelta::zero(), place)].into_iter().chain(steps(chance)) {
        at += after;
        for event in order.decide(&command, at).unwrap() {
            // Postgres' clock is a little ahead, and never goes back.
            let last = stored.last().map_or(at, |last: &Stored| last.at);
            stored.push(Stored {
                at: last.max(at + TimeDelta::microseconds(i64::from(chance.below(9_000)))),
                stream_id: format!("order:{id}"),
                version: i32::try_from(stored.len() + 1).unwrap(),
                event_type: event.event_type(),
                payload: event.to_payload(),
            });
            order = order.evolve(&event);
        }
    }
    stored
}

/// Fills the log, each partition in the order of time; answers how many events there are.
pub async fn generate(database: &Database) -> usize {
    let mut chance = Chance(42);
    let mut partitions: BTreeMap<i16, Vec<Stored>> = BTreeMap::new();
    for stored in (0..ORDERS).flat_map(|number| life(number, &mut chance)) {
        let key = stored.stream_id.trim_start_matches("order:");
        partitions.entry(database.partitions.of(key)).or_default().push(stored);
    }
    let mut events = 0;
    for (partition, mut stored) in partitions {
        // A stable order: what one stream has at one time stays in the order of its versions.
        stored.sort_by_key(|stored| stored.at);
        write(database, partition, &stored).await;
        events += stored.len();
    }
    events
}

async fn write(database: &Database, partition: i16, stored: &[Stored]) {
    let of = |text: fn(&Stored) -> String| stored.iter().map(text).collect::<Vec<_>>();
    sqlx::query(
        "insert into log (partition, position, append_id, stream_id, version, partition_key, event_type, schema_version,
             payload, meta, recorded_at)
         select $1, no, gen_random_uuid(), stream_id, version, split_part(stream_id, ':', 2), event_type, 1, payload, '{}', at
         from unnest($2::text[], $3::int[], $4::text[], $5::text[], $6::timestamptz[]) with ordinality
             as e(stream_id, version, event_type, payload, at, no)",
    )
    .bind(partition)
    .bind(of(|stored| stored.stream_id.clone()))
    .bind(stored.iter().map(|stored| stored.version).collect::<Vec<_>>())
    .bind(of(|stored| stored.event_type.to_owned()))
    .bind(of(|stored| stored.payload.clone()))
    .bind(stored.iter().map(|stored| stored.at).collect::<Vec<_>>())
    .execute(&database.db)
    .await
    .unwrap();
    sqlx::query("update log_head set position = $2 where partition = $1")
        .bind(partition)
        .bind(i64::try_from(stored.len()).unwrap())
        .execute(&database.db)
        .await
        .unwrap();
}
