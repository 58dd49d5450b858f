//! Implements the door to the write side: gathers prices, finds the shard, waits with a bound.

use std::sync::Arc;
use std::time::Duration;

use futures::future::{BoxFuture, try_join_all};
use sqlx::PgPool;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use super::aggregate::{self, RETRY_AFTER, unavailable};
use super::mailbox::Refused;
use super::prices::{Price, Prices};
use super::route::Route;
use super::{Config, shard};
use crate::commands::{CommandError, Commands, Execute, PlaceOrder, Receipt, ReceiveStock, Request, Wish};
use crate::domain::order::{self, Order, PricedLine};
use crate::domain::product::{self, Product};
use crate::domain::{Aggregate, OrderId, ProductId};
use crate::event_store::Partitions;
use crate::telemetry::trace;

/// Times a command is sent again when its actor ended before it answered: every command may be asked twice.
const SENDS: usize = 3;

/// The shards of one kind of aggregate, by partition.
pub struct Shards<A: Aggregate> {
    routes: Arc<[Route<shard::Message<A>>]>,
    partitions: Partitions,
    answer_within: Duration,
}

impl<A: Aggregate> Clone for Shards<A> {
    fn clone(&self) -> Self {
        Self { routes: self.routes.clone(), partitions: self.partitions, answer_within: self.answer_within }
    }
}

impl<A: Aggregate> Shards<A> {
    /// Places for the shards of every partition.
    #[must_use]
    pub fn new(partitions: Partitions, config: &Config) -> Self {
        let routes = partitions.all().map(|_| Route::default()).collect();
        Self { routes, partitions, answer_within: config.answer_within }
    }

    /// Where the shard of `partition` is to be found.
    #[must_use]
    pub fn route(&self, partition: i16) -> Route<shard::Message<A>> {
        self.routes[usize::try_from(partition).expect("partitions are numbered from 0")].clone()
    }

    async fn ask(&self, id: A::Id, command: A::Command, request: Request) -> Result<Receipt, CommandError> {
        let deadline = Instant::now() + self.answer_within;
        let lane = request.lane;
        let route = self.route(self.partitions.of(&id.to_string()));
        // Once an answer was lost, nobody can say any more that nothing was done, whatever the next try meets.
        let mut was_lost = false;
        for _ in 0..SENDS {
            let (reply, answer) = oneshot::channel();
            let mut request = request.clone();
            let span = trace::command(A::NAME, A::name_of(&command), &id, request.meta.traceparent.as_deref());
            // What is decided belongs under the decision, not beside it.
            request.meta.traceparent = span.traceparent().or(request.meta.traceparent);
            let execute = aggregate::Execute { command: command.clone(), request, span, reply };
            match route.try_send(lane, shard::Message::Execute(id.clone(), execute)) {
                Ok(()) => {}
                Err(_) if was_lost => break,
                Err(Refused::Full(_)) => {
                    return Err(CommandError::Overloaded { retry_after: RETRY_AFTER });
                }
                Err(Refused::Closed(_)) => return Err(unavailable()),
            }
            match timeout_at(deadline, answer).await {
                Ok(Ok(Err(error))) if was_lost && error.says_nothing_was_done() => break,
                Ok(Ok(answer)) => return answer,
                // Its actor ended between append and answer, perhaps: the next one reads the log and knows.
                Ok(Err(_)) => was_lost = true,
                Err(_) => break,
            }
        }
        Err(CommandError::OutcomeUnknown { retry_after: RETRY_AFTER })
    }
}

impl Execute<Order> for Shards<Order> {
    fn execute(
        &self,
        id: OrderId,
        command: order::Command,
        request: Request,
    ) -> BoxFuture<'_, Result<Receipt, CommandError>> {
        Box::pin(self.ask(id, command, request))
    }
}

struct Products {
    shards: Shards<Product>,
    prices: Arc<Prices>,
}

impl Execute<Product> for Products {
    fn execute(
        &self,
        id: ProductId,
        command: product::Command,
        request: Request,
    ) -> BoxFuture<'_, Result<Receipt, CommandError>> {
        Box::pin(async move {
            let answer = self.shards.ask(id.clone(), command, request).await;
            self.prices.forget(&id);
            answer
        })
    }
}

struct Placing {
    shards: Shards<Order>,
    prices: Arc<Prices>,
}

impl PlaceOrder for Placing {
    fn place(&self, wish: Wish, request: Request) -> BoxFuture<'_, Result<Receipt, CommandError>> {
        Box::pin(async move {
            let lines = self.priced(&wish).await?;
            let command = order::Command::Place { order_id: wish.order_id, user_id: wish.user_id, lines };
            self.shards.ask(wish.order_id, command, request).await
        })
    }
}

impl Placing {
    async fn priced(&self, wish: &Wish) -> Result<Vec<PricedLine>, CommandError> {
        let asked = wish.lines.iter().map(|(product, _)| self.prices.of(product));
        let prices = try_join_all(asked).await.map_err(|_| unavailable())?;
        let unknown: Vec<ProductId> = wish
            .lines
            .iter()
            .zip(&prices)
            .filter(|(_, price)| price.is_none())
            .map(|((product, _), _)| product.clone())
            .collect();
        if !unknown.is_empty() {
            return Err(CommandError::UnknownProducts(unknown));
        }
        let priced = |((product_id, quantity), Price { price, version, .. }): (&(ProductId, u32), Price)| PricedLine {
            product_id: product_id.clone(),
            quantity: *quantity,
            unit_price: price.amount(),
            currency: price.currency(),
            product_version: version,
        };
        Ok(wish.lines.iter().zip(prices.into_iter().flatten()).map(priced).collect())
    }
}

/// The door, over these shards.
#[must_use]
pub fn commands(
    orders: Shards<Order>,
    products: Shards<Product>,
    receive_stock: Arc<dyn ReceiveStock>,
    db: PgPool,
    config: &Config,
) -> Commands {
    let prices = Arc::new(Prices::new(db, config.price_age));
    Commands {
        place_order: Arc::new(Placing { shards: orders.clone(), prices: prices.clone() }),
        orders: Arc::new(orders),
        products: Arc::new(Products { shards: products, prices }),
        receive_stock,
    }
}
