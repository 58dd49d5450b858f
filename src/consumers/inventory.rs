//! Reserves stock for orders, releases it, marks it as shipped; receives goods. Never sells what is not there.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use futures::future::BoxFuture;
use serde::Deserialize;
use sqlx::PgPool;

use crate::clock;
use crate::commands::{CommandError, Goods, Receipt, ReceiveStock, Request};
use crate::contracts::{PositionToken, topics};
use crate::domain::inventory::{
    self, Event, Item, Level, RECEIPT_STREAM, Reservation, StockReceived, release, reserve, ship, stream_of,
};
use crate::domain::{Aggregate, DomainEvent, OrderId, RefusalKind, product::Product};
use crate::event_store::{self, Append, Bell, NewEvent, Partitions, append};
use crate::projections::{self, Stock};
use crate::read_model;
use crate::subscription::{
    Consumer, Decision, Decisions, Failure, Fold, FoldEvent, Folds, Received, Tx, models, reads,
};

/// The part of `order.created` that is read.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Created {
    order_id: OrderId,
    items: Vec<Item>,
}

/// The part of `order.cancelled` and `order.shipped` that is read.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct About {
    order_id: OrderId,
}

reads! {
    /// What this consumer reads.
    enum Reads {
        "order.created" => Created(Created),
        "order.cancelled" => Cancelled(About),
        "order.shipped" => Shipped(About),
    }
}

impl Reads {
    fn order_id(&self) -> OrderId {
        match self {
            Self::Created(created) => created.order_id,
            Self::Cancelled(about) | Self::Shipped(about) => about.order_id,
        }
    }
}

/// The consumer.
#[derive(Debug)]
pub struct Inventory;

/// Inventory's side of the orders of a batch: state and version of each stream.
type Decided = HashMap<OrderId, (inventory::Inventory, i32)>;

impl Consumer for Inventory {
    const NAME: &'static str = "inventory";
    const TOPICS: &'static [&'static str] = &[topics::ORDER_EVENTS];
    type Reads = Reads;

    fn folds() -> Folds {
        Folds::default().with(projections::stock())
    }

    async fn handle(&self, batch: &[Received<Reads>], tx: &mut Tx<'_>) -> Result<Decisions, Failure> {
        let mut decided = read_streams(batch, tx).await?;
        let mut level = stock_seen(batch, &decided, tx).await?;
        let mut decisions = Vec::with_capacity(batch.len());
        for received in batch {
            let order_id = received.event.order_id();
            let (state, version) = decided.entry(order_id).or_default();
            let event = match &received.event {
                Reads::Created(created) => {
                    let wish = Reservation { order_id, items: created.items.clone() };
                    reserve(state, wish, &mut level)
                }
                Reads::Cancelled(_) => release(state, order_id, &mut level),
                Reads::Shipped(_) => ship(state, order_id),
            };
            let Some(event) = event else { continue };
            decisions.push(Decision {
                cause: received.cause,
                stream_id: stream_of(order_id),
                partition_key: order_id.to_string(),
                expected_version: *version,
                events: vec![NewEvent::from(&event)],
            });
            *version += 1;
            *state = std::mem::take(state).evolve(&event);
        }
        Ok(decisions)
    }
}

/// The stock of everything the batch may take or give back, as it is now. What is taken is checked again by the row's
/// constraint when it is folded, under its lock: pieces that somebody else has taken meanwhile are a conflict, and the
/// batch is decided anew. An order that is turned down was so when its stock was looked at.
async fn stock_seen(batch: &[Received<Reads>], decided: &Decided, tx: &mut Tx<'_>) -> Result<Level, Failure> {
    let mut products = BTreeSet::new();
    for received in batch {
        if let Reads::Created(created) = &received.event {
            products.extend(created.items.iter().map(|item| item.product_id.to_string()));
        }
    }
    for (state, _) in decided.values() {
        if let inventory::Inventory::Reserved(items) = state {
            products.extend(items.iter().map(|item| item.product_id.to_string()));
        }
    }
    if products.is_empty() {
        return Ok(Level::new());
    }
    let products: Vec<String> = products.into_iter().collect();
    let rows = read_model::seen::<Stock>(tx.written, &products, tx.db).await?;
    let level = rows.into_iter().filter_map(|row| Some((row.product_id.parse().ok()?, row.available)));
    Ok(level.collect())
}

/// Streams of new orders are assumed empty, unless a conflict has told otherwise.
async fn read_streams(batch: &[Received<Reads>], tx: &mut Tx<'_>) -> Result<Decided, Failure> {
    let created_here: BTreeSet<OrderId> = batch
        .iter()
        .filter(|received| matches!(received.event, Reads::Created(_)))
        .map(|received| received.event.order_id())
        .collect();
    let asked: BTreeSet<OrderId> = batch
        .iter()
        .map(|received| received.event.order_id())
        .filter(|order_id| tx.after_conflict || !created_here.contains(order_id))
        .collect();
    let mut decided = Decided::new();
    if asked.is_empty() {
        return Ok(decided);
    }
    let by_stream: HashMap<String, OrderId> =
        asked.into_iter().map(|order_id| (stream_of(order_id), order_id)).collect();
    let streams: Vec<String> = by_stream.keys().cloned().collect();
    for recorded in event_store::streams(&mut *tx.db, &streams).await? {
        let event = Event::from_payload(&recorded.event_type, &recorded.payload).map_err(Failure::poison)?;
        let (state, version) = decided.entry(by_stream[&recorded.stream_id]).or_default();
        *state = std::mem::take(state).evolve(&event);
        *version = recorded.version;
    }
    Ok(decided)
}

/// Pause asked of callers while Postgres is away.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Receives goods: stock row and event in one transaction, so the answer already counts.
#[derive(Debug)]
pub struct Receiving {
    /// Postgres.
    pub db: PgPool,
    /// How the log is divided.
    pub partitions: Partitions,
    /// Rung after the commit.
    pub bell: Bell,
}

impl ReceiveStock for Receiving {
    fn receive(&self, goods: Goods, request: Request) -> BoxFuture<'_, Result<Receipt, CommandError>> {
        Box::pin(async move {
            match self.is_known(&goods).await {
                Ok(true) => {}
                Ok(false) => return Err(CommandError::UnknownProducts(vec![goods.product_id])),
                Err(_) => return Err(CommandError::Unavailable { retry_after: RETRY_AFTER }),
            }
            match self.try_receive(&goods, &request).await {
                Ok(receipt) => Ok(receipt),
                Err(NotReceived::Before(Failure::Conflict(_))) => self.first_answer(&goods, &request).await,
                Err(NotReceived::Before(Failure::Contended(_))) => Err(CommandError::Contended),
                Err(NotReceived::Before(failure)) => {
                    let (stream_id, correlation_id) = ids(&goods, &request);
                    let error = failure.chain();
                    tracing::warn!(stream_id, correlation_id, error, "a stock receipt failed; nothing was done");
                    Err(CommandError::Unavailable { retry_after: RETRY_AFTER })
                }
                // Only the answer may be lost: the same key tells.
                Err(NotReceived::AtCommit(error)) => {
                    let (stream_id, correlation_id) = ids(&goods, &request);
                    tracing::warn!(stream_id, correlation_id, %error, "the outcome of a stock receipt is not known");
                    Err(CommandError::OutcomeUnknown { retry_after: RETRY_AFTER })
                }
            }
        })
    }
}

/// Why goods were not received, or may have been.
enum NotReceived {
    /// Nothing was done.
    Before(Failure),
    /// It may have been done.
    AtCommit(sqlx::Error),
}

impl<E: Into<Failure>> From<E> for NotReceived {
    fn from(failure: E) -> Self {
        Self::Before(failure.into())
    }
}

impl Receiving {
    /// Goods of a product that the catalogue does not have are a wrong id.
    async fn is_known(&self, goods: &Goods) -> sqlx::Result<bool> {
        let stream = Product::stream_id(&goods.product_id);
        Ok(!event_store::stream(&self.db, &stream, 0, 1).await?.is_empty())
    }

    async fn try_receive(&self, goods: &Goods, request: &Request) -> Result<Receipt, NotReceived> {
        let received = Event::Received(StockReceived {
            receipt_id: goods.receipt_id,
            product_id: goods.product_id.clone(),
            quantity: goods.quantity,
        });
        let event = NewEvent::from(&received);
        let stock = projections::stock();
        let mut tx = self.db.begin().await?;
        let written = models::share(&[stock.name()], &mut tx).await?;
        let fold = [FoldEvent { event_type: event.event_type, version: 1, recorded_at: None, payload: &event.payload }];
        let append = Append {
            append_id: clock::random_id(),
            stream_id: receipt_stream(goods),
            partition: self.partitions.of(goods.product_id.as_str()),
            partition_key: goods.product_id.to_string(),
            expected_version: 0,
            events: vec![event.clone()],
            meta: request.meta.to_json(),
        };
        let appends = [append];
        // Heads before rows of a read model, as everywhere.
        let places = append::within(&mut tx, &appends).await?;
        stock.fold(&fold, &written, &mut tx).await?;
        tx.commit().await.map_err(NotReceived::AtCommit)?;
        let [append] = appends;
        let token = PositionToken { partition: append.partition, position: places[0].first_position };
        self.bell.ring_all(append.recorded(places[0]));
        Ok(Receipt { token, version: 1, appended: true })
    }

    /// The receipt exists: the same content is the first answer again, other content is refused.
    async fn first_answer(&self, goods: &Goods, request: &Request) -> Result<Receipt, CommandError> {
        let first = event_store::stream(&self.db, &receipt_stream(goods), 0, 1).await;
        let first = first.map_err(|_| CommandError::Unavailable { retry_after: RETRY_AFTER })?;
        match first.first() {
            Some(first) if first.meta().request_hash == request.meta.request_hash => {
                Ok(Receipt { token: first.token(), version: 1, appended: false })
            }
            _ => Err(CommandError::Refused {
                code: "receipt_exists",
                detail: format!("receipt {} exists already with other content", goods.receipt_id),
                kind: RefusalKind::State,
            }),
        }
    }
}

/// What log lines name a receipt by.
fn ids(goods: &Goods, request: &Request) -> (String, Option<String>) {
    (receipt_stream(goods), request.meta.correlation_id.map(|id| id.to_string()))
}

fn receipt_stream(goods: &Goods) -> String {
    format!("{RECEIPT_STREAM}:{}", goods.receipt_id)
}
