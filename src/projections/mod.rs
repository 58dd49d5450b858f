//! Every read model: one `.rs` (keys, fold, queries) and one `.sql` (its table) each, and the list.

pub mod customer_orders;
pub mod customer_value;
pub mod daily_revenue;
mod days;
#[cfg(test)]
mod lives;
pub mod notifications;
pub mod order_funnel;
pub mod order_view;
#[cfg(test)]
mod parts;
pub mod product_view;
mod sale;
pub mod stock;
pub mod top_products;

use crate::contracts::topics;
use crate::read_model::{FedBy, Model};

pub use customer_orders::CustomerOrders;
pub use customer_value::CustomerValue;
pub use daily_revenue::DailyRevenue;
pub use days::Days;
pub use notifications::Notifications;
pub use order_funnel::OrderFunnel;
pub use order_view::OrderView;
pub use product_view::ProductView;
pub use stock::Stock;
pub use top_products::TopProducts;

/// Name of the consumer that keeps the figures.
pub const ANALYTICS: &str = "analytics";

/// Every read model there is. One whose `VERSION` was raised lists its predecessor behind it, `.and_before::<…>()`, until
/// no table of that is written any more.
#[must_use]
pub fn all() -> Vec<Model> {
    let mut all = vec![
        Model::of::<CustomerOrders>(FedBy::Log),
        Model::of::<Notifications>(FedBy::Log),
        Model::of::<OrderView>(FedBy::Log),
        Model::of::<ProductView>(FedBy::Log),
        stock(),
    ];
    all.extend(figures());
    all
}

/// The stock, which inventory keeps.
#[must_use]
pub fn stock() -> Model {
    Model::of::<Stock>(FedBy::Decisions)
}

/// The figures, which analytics keeps: those that most events change last, since they are locked until it commits.
#[must_use]
pub fn figures() -> Vec<Model> {
    let fed_by = FedBy::Consumer { name: ANALYTICS, topic: topics::ORDER_EVENTS };
    vec![
        Model::of::<CustomerValue>(fed_by),
        Model::of::<TopProducts>(fed_by),
        Model::of::<OrderFunnel>(fed_by),
        Model::of::<DailyRevenue>(fed_by),
    ]
}

/// Read models fed from the log: each has a subscription of its name. The others are fed by a consumer that lists them.
#[must_use]
pub fn log_fed() -> Vec<Model> {
    all().into_iter().filter(|model| model.fed_by() == FedBy::Log).collect()
}
