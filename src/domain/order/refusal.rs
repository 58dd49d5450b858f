//! An order's "no".

use super::state::Status;
use crate::domain::{Currency, OrderId, Refusal, RefusalKind};

/// Code of a transition that the order's status does not allow.
pub const NOT_ALLOWED: &str = "not_allowed";

/// Why an order does not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrderRefusal {
    /// There is no such order.
    #[error("there is no such order")]
    Unknown,
    /// An order of this id exists already, and the request was another.
    #[error("order {0} exists already and was placed with other content")]
    AlreadyExists(OrderId),
    /// The status does not allow it.
    #[error("an order that is {status} cannot {command}")]
    NotAllowed {
        /// What was asked.
        command: &'static str,
        /// What the order is.
        status: Status,
    },
    /// No line at all.
    #[error("an order needs at least one line")]
    NoLines,
    /// Too many lines.
    #[error("an order has at most {max} lines, not {lines}")]
    TooManyLines {
        /// Lines after merging.
        lines: usize,
        /// Most allowed.
        max: usize,
    },
    /// Nothing, or too many, of a product.
    #[error("the quantity of {product_id} is 1 to {max}, not {quantity}")]
    QuantityOutOfRange {
        /// Which product.
        product_id: String,
        /// What was asked, merged.
        quantity: u64,
        /// Most allowed.
        max: u32,
    },
    /// Prices in more than one currency.
    #[error("all products of an order have one currency, not {0} and {1}")]
    MixedCurrency(Currency, Currency),
    /// The sum is beyond what can be counted exactly.
    #[error("the total of the order is too large to be counted exactly")]
    TotalTooLarge,
}

impl Refusal for OrderRefusal {
    fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "order_not_found",
            Self::AlreadyExists(_) => "order_exists",
            Self::NotAllowed { .. } => NOT_ALLOWED,
            Self::NoLines => "no_lines",
            Self::TooManyLines { .. } => "too_many_lines",
            Self::QuantityOutOfRange { .. } => "quantity_out_of_range",
            Self::MixedCurrency(..) => "mixed_currency",
            Self::TotalTooLarge => "total_too_large",
        }
    }

    fn kind(&self) -> RefusalKind {
        match self {
            Self::Unknown => RefusalKind::Unknown,
            Self::AlreadyExists(_) | Self::NotAllowed { .. } => RefusalKind::State,
            Self::NoLines
            | Self::TooManyLines { .. }
            | Self::QuantityOutOfRange { .. }
            | Self::MixedCurrency(..)
            | Self::TotalTooLarge => RefusalKind::Content,
        }
    }
}
