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

use std::sync::Arc;

use sqlx::PgPool;

use crate::read_model::{Folded, Table};
use crate::subscription::Fold;

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

/// Makes the tables this build needs and the database lacks.
///
/// # Errors
/// What Postgres says.
pub async fn create_tables(db: &PgPool) -> sqlx::Result<()> {
    crate::read_model::create_missing!(
        db,
        CustomerOrders,
        CustomerValue,
        DailyRevenue,
        Notifications,
        OrderFunnel,
        OrderView,
        ProductView,
        Stock,
        TopProducts
    )
}

/// Read models fed from the log: name of the subscription, and the fold. The others are fed by a consumer that lists them.
#[must_use]
pub fn log_fed() -> Vec<(String, Arc<dyn Fold>)> {
    vec![
        (Table::<CustomerOrders>::active().name().to_owned(), Arc::new(Folded::<CustomerOrders>::default())),
        (Table::<Notifications>::active().name().to_owned(), Arc::new(Folded::<Notifications>::default())),
        (Table::<OrderView>::active().name().to_owned(), Arc::new(Folded::<OrderView>::default())),
        (Table::<ProductView>::active().name().to_owned(), Arc::new(Folded::<ProductView>::default())),
    ]
}
