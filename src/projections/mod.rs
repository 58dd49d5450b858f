//! Every read model: one `.rs` (keys, fold, queries) and one `.sql` (its table) each, and the list.

pub mod customer_orders;
pub mod notifications;
pub mod order_view;
pub mod product_view;
pub mod stock;

use std::sync::Arc;

use sqlx::PgPool;

use crate::read_model::{Folded, Table};
use crate::subscription::Fold;

pub use customer_orders::CustomerOrders;
pub use notifications::Notifications;
pub use order_view::OrderView;
pub use product_view::ProductView;
pub use stock::Stock;

/// Makes the tables this build needs and the database lacks.
///
/// # Errors
/// What Postgres says.
pub async fn create_tables(db: &PgPool) -> sqlx::Result<()> {
    crate::read_model::create_missing!(db, CustomerOrders, Notifications, OrderView, ProductView, Stock)
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
