//! What a product can be asked to do.

use super::event::Changes;
use super::state::Details;
use crate::domain::ProductId;

/// A request to a product.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Puts it into the catalogue.
    Create {
        /// Which.
        product_id: ProductId,
        /// What it is.
        details: Details,
    },
    /// Changes what the catalogue says of it; a price change is this.
    Update {
        /// The fields to change.
        changes: Changes,
    },
}
