//! What can have happened to a product. These structs are the wire format.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::event::events;
use crate::domain::{Money, ProductId};

events! {
    /// What happened to a product.
    pub enum Event {
        /// Entered the catalogue.
        "product.created" => Created(ProductCreated),
        /// Some of its fields changed.
        "product.updated" => Updated(ProductUpdated),
    }
}

/// `product.created`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProductCreated {
    /// The product.
    pub product_id: ProductId,
    /// What customers call it.
    pub name: String,
    /// Price of one.
    pub price: Money,
    /// Longer text, possibly empty.
    #[serde(default)]
    pub description: String,
    /// Anything else, by name.
    #[serde(default)]
    pub attributes: BTreeMap<String, String>,
    /// When it entered the catalogue.
    pub created_at: DateTime<Utc>,
}

/// `product.updated`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProductUpdated {
    /// The product.
    pub product_id: ProductId,
    /// The changed fields with their new values, and only those.
    pub changes: Changes,
    /// When.
    pub updated_at: DateTime<Utc>,
}

/// Fields of a product that change together; what is absent stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Changes {
    /// New name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// New price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Money>,
    /// New description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// New attributes, replacing all old ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attributes: Option<BTreeMap<String, String>>,
}
