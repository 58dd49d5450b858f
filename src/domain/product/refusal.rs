//! A product's "no".

use crate::domain::{ProductId, Refusal, RefusalKind};

/// Why a product does not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProductRefusal {
    /// There is no such product.
    #[error("there is no such product")]
    Unknown,
    /// A product of this id exists already with other content.
    #[error("product {0} exists already with other content")]
    AlreadyExists(ProductId),
}

impl Refusal for ProductRefusal {
    fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "product_not_found",
            Self::AlreadyExists(_) => "product_exists",
        }
    }

    fn kind(&self) -> RefusalKind {
        match self {
            Self::Unknown => RefusalKind::Unknown,
            Self::AlreadyExists(_) => RefusalKind::State,
        }
    }
}
