//! What a product is, as a fold of its events.

use std::collections::BTreeMap;

use super::event::{Changes, Event};
use crate::domain::{Money, ProductId};

/// What the catalogue says of a product.
#[derive(Clone, Debug, PartialEq)]
pub struct Details {
    /// What customers call it.
    pub name: String,
    /// Price of one.
    pub price: Money,
    /// Longer text, possibly empty.
    pub description: String,
    /// Anything else, by name.
    pub attributes: BTreeMap<String, String>,
}

/// A product.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Product {
    /// Nothing has happened yet.
    #[default]
    Absent,
    /// In the catalogue.
    Active {
        /// Which.
        product_id: ProductId,
        /// What it is.
        details: Details,
    },
}

impl Product {
    /// What the catalogue says of it; `None` if it is not in the catalogue.
    #[must_use]
    pub fn details(&self) -> Option<&Details> {
        match self {
            Self::Absent => None,
            Self::Active { details, .. } => Some(details),
        }
    }

    pub(super) fn folded(self, event: &Event) -> Self {
        match (self, event) {
            (_, Event::Created(created)) => Self::Active {
                product_id: created.product_id.clone(),
                details: Details {
                    name: created.name.clone(),
                    price: created.price,
                    description: created.description.clone(),
                    attributes: created.attributes.clone(),
                },
            },
            (Self::Active { product_id, details }, Event::Updated(updated)) => {
                Self::Active { product_id, details: details.with(&updated.changes) }
            }
            // A stream begins with its creation; a change before it changes nothing.
            (Self::Absent, Event::Updated(_)) => Self::Absent,
        }
    }
}

impl Details {
    /// These details with `changes` made.
    #[must_use]
    pub fn with(self, changes: &Changes) -> Self {
        Self {
            name: changes.name.clone().unwrap_or(self.name),
            price: changes.price.unwrap_or(self.price),
            description: changes.description.clone().unwrap_or(self.description),
            attributes: changes.attributes.clone().unwrap_or(self.attributes),
        }
    }

    /// What of `changes` differs from these details.
    #[must_use]
    pub fn differing(&self, changes: &Changes) -> Changes {
        Changes {
            name: changes.name.clone().filter(|name| *name != self.name),
            price: changes.price.filter(|price| *price != self.price),
            description: changes.description.clone().filter(|text| *text != self.description),
            attributes: changes.attributes.clone().filter(|attributes| *attributes != self.attributes),
        }
    }
}
