//! Orders that never were: what customers, stock and parcels would have done, in the order of time, as the domain decides
//! it. Pure: the same seed lives the same lives.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};

use chrono::{DateTime, TimeDelta, Timelike, Utc};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use uuid::Uuid;

use super::happened::{Happened, Told};
use super::shop::{Shelf, Shop};
use crate::contracts::{Meta, event_id};
use crate::domain::inventory::{self, Inventory, Item, OUT_OF_STOCK, Reservation, release, reserve, ship};
use crate::domain::notification::{self, NotificationRequested, Template};
use crate::domain::order::{self, Command, Order};
use crate::domain::{Aggregate, OrderId, UserId};
use crate::event_store::NewEvent;

/// Events an order comes to, guessed before any is known.
const EVENTS_GUESSED: f64 = 8.0;
/// So many orders must have been seen until the guess counts for half.
const GUESS_WEIGHT: f64 = 40.0;

/// What is going to happen.
enum Step {
    /// A customer orders.
    Arrive,
    Reserve(OrderId),
    Order(OrderId, Command),
    /// What the order's end or departure means for what was set aside.
    Settle(OrderId),
    Tell(OrderId, UserId, Template),
    Receive(Shelf),
    Reprice,
}

/// A step, when it is due, and what it follows from.
struct Entry {
    at: DateTime<Utc>,
    /// Of two things at one time the one that was planned first comes first.
    number: u64,
    cause: Option<Uuid>,
    story: Uuid,
    step: Step,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

/// An order and inventory's side of it, each with the version of its stream.
#[derive(Default)]
struct Life {
    order: Order,
    version: i32,
    inventory: Inventory,
    decided: i32,
}

/// The past, event by event.
pub(super) struct Lives {
    random: SmallRng,
    end: DateTime<Utc>,
    asked: u64,
    told: u64,
    planned: u64,
    arrived: u64,
    agenda: BinaryHeap<Reverse<Entry>>,
    orders: HashMap<OrderId, Life>,
    shop: Shop,
    ready: VecDeque<Happened>,
}

impl Lives {
    /// `events` between `begin` and `end`: exactly so many, so that the last orders are still under way.
    pub(super) fn between(begin: DateTime<Utc>, end: DateTime<Utc>, events: u64, seed: u64) -> Self {
        let days = (end - begin).num_days().max(1);
        let mut lives = Self {
            random: SmallRng::seed_from_u64(seed),
            end,
            asked: events,
            told: 0,
            planned: 0,
            arrived: 0,
            agenda: BinaryHeap::new(),
            orders: HashMap::new(),
            shop: Shop::of(events / days.unsigned_abs()),
            ready: VecDeque::new(),
        };
        for shelf in lives.shop.shelves() {
            let story = lives.id();
            let created = lives.shop.open(shelf, begin);
            lives.tell(begin, None, story, created);
            lives.plan(begin, None, story, Step::Receive(shelf));
        }
        let story = lives.id();
        lives.plan(begin + TimeDelta::seconds(1), None, story, Step::Arrive);
        lives.plan(begin + TimeDelta::days(1), None, story, Step::Reprice);
        lives
    }

    /// Orders so far.
    pub(super) fn orders(&self) -> u64 {
        self.arrived
    }

    /// Random, and of the seed.
    fn id(&mut self) -> Uuid {
        uuid::Builder::from_random_bytes(self.random.random()).into_uuid()
    }

    fn plan(&mut self, at: DateTime<Utc>, cause: Option<Uuid>, story: Uuid, step: Step) {
        self.planned += 1;
        self.agenda.push(Reverse(Entry { at: at.min(self.end), number: self.planned, cause, story, step }));
    }

    /// So many milliseconds, seconds, hours after.
    fn after(&mut self, at: DateTime<Utc>, least: TimeDelta, most: TimeDelta) -> DateTime<Utc> {
        let micros = |span: TimeDelta| span.num_microseconds().unwrap_or_default();
        at + TimeDelta::microseconds(self.random.random_range(micros(least)..=micros(most)))
    }

    fn soon(&mut self, at: DateTime<Utc>) -> DateTime<Utc> {
        self.after(at, TimeDelta::milliseconds(4), TimeDelta::milliseconds(80))
    }

    /// Hands an event out; its id, as the cause of what follows.
    fn tell(&mut self, at: DateTime<Utc>, cause: Option<Uuid>, story: Uuid, what: Told) -> Uuid {
        let id = event_id(&what.stream_id, what.version);
        let meta = Meta { correlation_id: Some(story), causation_id: cause, ..Meta::default() };
        let Told { stream_id, partition_key, version, event } = what;
        self.ready.push_back(Happened { at, stream_id, partition_key, version, event, meta });
        id
    }

    fn live(&mut self, entry: Entry) {
        let Entry { at, cause, story, step, .. } = entry;
        match step {
            Step::Arrive => self.arrive(at),
            Step::Reserve(order_id) => self.reserve(at, cause, story, order_id),
            Step::Order(order_id, command) => self.order(at, cause, story, order_id, &command),
            Step::Settle(order_id) => self.settle(at, cause, story, order_id),
            Step::Tell(order_id, user_id, template) => {
                let event = notification::Event::Requested(NotificationRequested { order_id, user_id, template });
                let stream_id = notification::stream_of(order_id, template);
                self.tell(at, cause, story, Told::about(order_id, stream_id, 1, NewEvent::from(&event)));
            }
            Step::Receive(shelf) => {
                let receipt = self.id();
                let received = self.shop.receive(shelf, receipt);
                self.tell(at, None, story, received);
            }
            Step::Reprice => {
                let shelf = self.random.random_range(0..self.shop.shelves().len());
                let percent = self.random.random_range(90..=112);
                if let Some(changed) = self.shop.reprice(shelf, percent, at) {
                    self.tell(at, None, story, changed);
                }
                let next = self.id();
                self.plan(at + TimeDelta::days(2), None, next, Step::Reprice);
            }
        }
    }

    fn arrive(&mut self, at: DateTime<Utc>) {
        let (order_id, story) = (OrderId::from(self.id()), self.id());
        let customers = 500 + self.asked / 100;
        let user_id: UserId = format!("customer-{}", 1 + self.skewed(customers)).parse().expect("a valid id");
        let count = self.random.random_range(1..=3);
        let lines = (0..count).map(|_| {
            let shelf = self.skewed(self.shop.shelves().len() as u64) as usize;
            let quantity = self.random.random_range(1..=3);
            self.shop.priced(shelf, quantity)
        });
        let lines = lines.collect();
        self.arrived += 1;
        self.orders.insert(order_id, Life::default());
        self.order(at, None, story, order_id, &Command::Place { order_id, user_id, lines });
        let next = at + self.gap(at);
        self.plan(next, None, story, Step::Arrive);
    }

    /// Until the next customer: as the clock and what is still missing say, and chance. More come in the evening.
    fn gap(&mut self, at: DateTime<Utc>) -> TimeDelta {
        let missing = (self.asked - self.told.min(self.asked)).max(1) as f64;
        let an_order = (self.told as f64 + GUESS_WEIGHT * EVENTS_GUESSED) / (self.arrived as f64 + GUESS_WEIGHT);
        let mean = (self.end - at).num_microseconds().unwrap_or_default() as f64 * an_order / missing;
        let hour = f64::from(at.num_seconds_from_midnight()) / 3_600.0;
        let rush = 1.0 + 0.8 * ((hour - 13.0) / 24.0 * std::f64::consts::TAU).sin();
        let chance = -(1.0 - self.random.random::<f64>()).ln();
        TimeDelta::microseconds((mean * chance / rush) as i64)
    }

    /// Below `limit`, small ones more often.
    fn skewed(&mut self, limit: u64) -> u64 {
        (self.random.random::<f64>().powi(2) * limit as f64) as u64
    }

    fn reserve(&mut self, at: DateTime<Utc>, cause: Option<Uuid>, story: Uuid, order_id: OrderId) {
        let Some(life) = self.orders.get(&order_id) else { return };
        let items = match &life.order {
            Order::Processing(facts) => facts.items.iter(),
            _ => return,
        };
        let items: Vec<Item> =
            items.map(|line| Item { product_id: line.product_id.clone(), quantity: line.quantity }).collect();
        let wish = Reservation { order_id, items: items.clone() };
        let Some(event) = reserve(&life.inventory, wish, &mut self.shop.level) else { return };
        let next = match &event {
            inventory::Event::Rejected(rejected) => {
                Command::Reject { reason: OUT_OF_STOCK.to_owned(), missing: rejected.missing.clone() }
            }
            _ => Command::Confirm,
        };
        let id = self.decided(at, cause, story, order_id, event);
        let soon = self.soon(at);
        self.plan(soon, id, story, Step::Order(order_id, next));
        for shelf in self.shop.low(&items) {
            let (arrives, story) = (self.after(at, TimeDelta::hours(2), TimeDelta::hours(20)), self.id());
            self.plan(arrives, None, story, Step::Receive(shelf));
        }
    }

    fn settle(&mut self, at: DateTime<Utc>, cause: Option<Uuid>, story: Uuid, order_id: OrderId) {
        let Some(life) = self.orders.get(&order_id) else { return };
        let event = match life.order {
            Order::Cancelled(_) => release(&life.inventory, order_id, &mut self.shop.level),
            _ => ship(&life.inventory, order_id),
        };
        if let Some(event) = event {
            self.decided(at, cause, story, order_id, event);
        }
    }

    fn decided(
        &mut self,
        at: DateTime<Utc>,
        cause: Option<Uuid>,
        story: Uuid,
        order_id: OrderId,
        event: inventory::Event,
    ) -> Option<Uuid> {
        let life = self.orders.get_mut(&order_id)?;
        life.decided += 1;
        life.inventory = std::mem::take(&mut life.inventory).evolve(&event);
        let stream_id = inventory::stream_of(order_id);
        let told = Told::about(order_id, stream_id, life.decided, NewEvent::from(&event));
        Some(self.tell(at, cause, story, told))
    }

    fn order(&mut self, at: DateTime<Utc>, cause: Option<Uuid>, story: Uuid, order_id: OrderId, command: &Command) {
        let Some(life) = self.orders.get_mut(&order_id) else { return };
        let events = life.order.decide(command, at).expect("only what the order's state allows is on the agenda");
        for event in events {
            let Some(life) = self.orders.get_mut(&order_id) else { return };
            life.version += 1;
            life.order = std::mem::take(&mut life.order).evolve(&event);
            let told = Told::about(order_id, Order::stream_id(&order_id), life.version, NewEvent::from(&event));
            let id = Some(self.tell(at, cause, story, told));
            self.follow(at, id, story, &event);
        }
    }

    /// What comes of an order's event, now or days later.
    fn follow(&mut self, at: DateTime<Utc>, cause: Option<Uuid>, story: Uuid, event: &order::Event) {
        use order::Event;
        let order_id = event.order_id();
        let tell = |lives: &mut Self, user_id: &UserId, template| {
            let soon = lives.soon(at);
            lives.plan(soon, cause, story, Step::Tell(order_id, user_id.clone(), template));
        };
        match event {
            Event::Created(created) => {
                tell(self, &created.user_id, Template::OrderCreated);
                let soon = self.soon(at);
                self.plan(soon, cause, story, Step::Reserve(order_id));
            }
            Event::Confirmed(confirmed) => {
                tell(self, &confirmed.user_id, Template::OrderConfirmed);
                let (next, least, most) = match self.random.random_range(0..100) {
                    0..5 => (Command::Cancel { reason: "changed my mind".to_owned() }, 0, 48),
                    5..95 => (Command::Ship, 4, 48),
                    _ => return,
                };
                let later = self.after(at, TimeDelta::hours(least), TimeDelta::hours(most));
                self.plan(later, cause, story, Step::Order(order_id, next));
            }
            Event::Rejected(rejected) => {
                tell(self, &rejected.user_id, Template::OrderRejected);
                self.orders.remove(&order_id);
            }
            Event::Shipped(shipped) => {
                tell(self, &shipped.user_id, Template::OrderShipped);
                let (soon, later) = (self.soon(at), self.after(at, TimeDelta::hours(20), TimeDelta::hours(96)));
                self.plan(soon, cause, story, Step::Settle(order_id));
                self.plan(later, cause, story, Step::Order(order_id, Command::Deliver));
            }
            Event::Cancelled(_) => {
                let soon = self.soon(at);
                self.plan(soon, cause, story, Step::Settle(order_id));
            }
            Event::Delivered(_) => _ = self.orders.remove(&order_id),
        }
    }
}

impl Iterator for Lives {
    type Item = Happened;

    fn next(&mut self) -> Option<Happened> {
        while self.told < self.asked {
            if let Some(happened) = self.ready.pop_front() {
                self.told += 1;
                return Some(happened);
            }
            let Reverse(entry) = self.agenda.pop()?;
            self.live(entry);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::DomainEvent;

    fn lives(events: u64, seed: u64) -> Lives {
        let begin = DateTime::from_timestamp(1_760_000_000, 0).unwrap();
        Lives::between(begin, begin + TimeDelta::days(10), events, seed)
    }

    #[test]
    fn exactly_so_many_events_fill_the_time_in_its_order() {
        let mut lives = lives(20_000, 1);
        let end = lives.end;
        let happened: Vec<Happened> = lives.by_ref().collect();
        assert_eq!(happened.len(), 20_000);
        assert!(happened.is_sorted_by_key(|happened| happened.at));
        let last = happened.last().unwrap().at;
        assert!(last <= end && end - last < TimeDelta::hours(1), "{last} of {end}");
        assert!((2_000..5_000).contains(&lives.orders()), "{} orders", lives.orders());
    }

    #[test]
    fn the_same_seed_lives_the_same_lives_and_another_one_does_not() {
        assert!(lives(2_000, 7).eq(lives(2_000, 7)));
        assert!(!lives(2_000, 7).eq(lives(2_000, 8)));
    }

    #[test]
    fn every_stream_counts_from_one_without_holes_and_every_kind_of_event_occurs() {
        let mut versions: HashMap<String, i32> = HashMap::new();
        let mut types = std::collections::BTreeSet::new();
        for happened in lives(30_000, 3) {
            let version = versions.entry(happened.stream_id.clone()).or_default();
            *version += 1;
            assert_eq!(happened.version, *version, "{}", happened.stream_id);
            types.insert(happened.event.event_type);
        }
        let all = [order::Event::TYPES, inventory::Event::TYPES, notification::Event::TYPES].concat();
        assert_eq!(all.iter().filter(|event_type| !types.contains(**event_type)).collect::<Vec<_>>(), [&""; 0]);
        assert!(types.contains("product.created") && types.contains("product.updated"));
    }

    #[test]
    fn stock_is_never_below_zero_whatever_is_ordered() {
        let mut lives = lives(30_000, 4);
        while lives.next().is_some() {
            assert!(lives.shop.level.values().all(|available| *available >= 0));
        }
    }
}
