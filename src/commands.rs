//! The one door to the write side: HTTP handlers and consumers ask here, actors answer behind it.
//!
//! A command is answered when what it decided is durable, or refused; never earlier.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;

use crate::contracts::{Meta, PositionToken};
use crate::domain::{
    Aggregate, OrderId, ProductId, ReceiptId, Refusal, RefusalKind, UserId, order::Order, product::Product,
};

/// Everything the write side can be asked, one field an aggregate.
#[derive(Clone)]
pub struct Commands {
    /// Orders, once placed.
    pub orders: Arc<dyn Execute<Order>>,
    /// Placing an order: gathers prices first.
    pub place_order: Arc<dyn PlaceOrder>,
    /// Products.
    pub products: Arc<dyn Execute<Product>>,
    /// Stock receipts.
    pub receive_stock: Arc<dyn ReceiveStock>,
}

/// Asks one aggregate to do something.
pub trait Execute<A: Aggregate>: Send + Sync {
    /// Decides, appends, and answers once it is durable.
    ///
    /// # Errors
    /// [`CommandError`].
    fn execute(&self, id: A::Id, command: A::Command, request: Request)
    -> BoxFuture<'_, Result<Receipt, CommandError>>;
}

/// A wish for goods, without prices: those are the catalogue's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// The order to be.
    pub order_id: OrderId,
    /// Who orders.
    pub user_id: UserId,
    /// What, and how many; a product may stand there twice.
    pub lines: Vec<(ProductId, u32)>,
}

/// Places orders.
pub trait PlaceOrder: Send + Sync {
    /// Gathers the catalogue's prices and places the order.
    ///
    /// # Errors
    /// [`CommandError`]; unknown products only after the log itself was read.
    fn place(&self, wish: Wish, request: Request) -> BoxFuture<'_, Result<Receipt, CommandError>>;
}

/// Goods that came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Goods {
    /// The receipt to be.
    pub receipt_id: ReceiptId,
    /// Which product.
    pub product_id: ProductId,
    /// How many, 1 or more.
    pub quantity: u32,
}

/// Receives stock.
pub trait ReceiveStock: Send + Sync {
    /// Adds to the stock row and appends the receipt in one transaction.
    ///
    /// # Errors
    /// [`CommandError`].
    fn receive(&self, goods: Goods, request: Request) -> BoxFuture<'_, Result<Receipt, CommandError>>;
}

/// Who waits for the answer: their permits are apart, so that consumers catching up never refuse a customer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lane {
    /// A caller over HTTP.
    #[default]
    Caller,
    /// A consumer.
    Consumer,
}

/// What comes with a command besides itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// Stored with every event it leads to. Its request hash makes a repeated create meet its first answer.
    pub meta: Meta,
    /// Who waits.
    pub lane: Lane,
}

/// Proof that something is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Where its last event stands; what a reader may wait for.
    pub token: PositionToken,
    /// Version of the stream after it.
    pub version: i32,
    /// Whether anything was appended now: not so for "already so" and for a repeated request.
    pub appended: bool,
}

/// Why a command was not done, or may not have been.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// The domain's "no", read from a fresh state.
    #[error("{detail}")]
    Refused {
        /// Stable reason code.
        code: &'static str,
        /// In words.
        detail: String,
        /// What can be done about it.
        kind: RefusalKind,
    },
    /// Products the catalogue does not have, after the log itself was read.
    #[error("the catalogue has no product {}", join(.0))]
    UnknownProducts(Vec<ProductId>),
    /// Its events are larger than a topic takes.
    #[error("the request makes an event of {bytes} bytes, more than the {limit} a topic takes")]
    TooLarge {
        /// Size of the event.
        bytes: usize,
        /// Most allowed.
        limit: usize,
    },
    /// Others changed the same stream five times in a row. Nothing was done.
    #[error("the stream is contended; nothing was done")]
    Contended,
    /// No permit: too much is waiting already. Nothing was done.
    #[error("too many requests are waiting; nothing was done")]
    Overloaded {
        /// When to try again.
        retry_after: Duration,
    },
    /// Postgres or the actors are down. Nothing was done.
    #[error("the log cannot be written at the moment; nothing was done")]
    Unavailable {
        /// When to try again.
        retry_after: Duration,
    },
    /// It may have been done or not; the same request with the same key tells.
    #[error("the outcome is not known; send the same request with the same key again")]
    OutcomeUnknown {
        /// When to try again.
        retry_after: Duration,
    },
}

impl CommandError {
    /// Whether it claims that nothing was done, without having read the log.
    #[must_use]
    pub const fn says_nothing_was_done(&self) -> bool {
        matches!(self, Self::Overloaded { .. } | Self::Unavailable { .. } | Self::Contended)
    }

    /// The domain's "no" on its way out.
    pub fn refused(refusal: &impl Refusal) -> Self {
        Self::Refused { code: refusal.code(), detail: refusal.to_string(), kind: refusal.kind() }
    }
}

fn join(products: &[ProductId]) -> String {
    products.iter().map(ProductId::as_str).collect::<Vec<_>>().join(", ")
}
