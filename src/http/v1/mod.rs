//! `/v1`: one file per resource.

mod analytics;
mod answer;
mod customers;
mod figures;
mod fresh;
mod inventory;
mod notifications;
mod orders;
mod page;
mod past;
mod place_order;
mod products;

use std::sync::Arc;

use aide::axum::ApiRouter;
use sha2::{Digest, Sha256};

use super::Gateway;

/// What handlers share.
type Shared = Arc<Gateway>;

/// Every route of the version.
pub(super) fn routes() -> ApiRouter<Shared> {
    ApiRouter::new()
        .merge(orders::routes())
        .merge(notifications::routes())
        .merge(customers::routes())
        .merge(products::routes())
        .merge(inventory::routes())
        .merge(analytics::routes())
}

/// Hash of the fields a client sent: what tells a repeated request from another one with the same name.
///
/// Each field is preceded by its length, so that no two contents run together.
#[derive(Default)]
struct RequestHash(Sha256);

impl RequestHash {
    fn field(mut self, field: impl AsRef<[u8]>) -> Self {
        let field = field.as_ref();
        self.0.update((field.len() as u64).to_be_bytes());
        self.0.update(field);
        self
    }

    fn hex(self) -> String {
        use std::fmt::Write as _;
        self.0.finalize().iter().fold(String::with_capacity(64), |mut hex, byte| {
            _ = write!(hex, "{byte:02x}");
            hex
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_keeps_fields_apart() {
        let hash = |fields: &[&str]| fields.iter().fold(RequestHash::default(), |hash, field| hash.field(field)).hex();
        assert_eq!(hash(&["a", "b"]), hash(&["a", "b"]));
        assert_eq!(hash(&["a"]).len(), 64);
        assert_ne!(hash(&["ab", ""]), hash(&["a", "b"]));
        assert_ne!(hash(&["a", "b"]), hash(&["b", "a"]));
    }

    #[test]
    fn every_route_is_documented_with_its_errors() {
        let (_, document) = crate::http::openapi::documented("ordo", "", routes);
        let document = serde_json::to_value(&document).expect("a document is JSON");
        for (path, method, status) in [
            ("/v1/orders", "post", "202"),
            ("/v1/orders", "get", "200"),
            ("/v1/orders/{id}", "get", "200"),
            ("/v1/orders/{id}/events", "get", "200"),
            ("/v1/orders/{id}/notifications", "get", "200"),
            ("/v1/customers/{id}/orders", "get", "200"),
            ("/v1/analytics/revenue", "get", "200"),
            ("/v1/analytics/top-products", "get", "200"),
            ("/v1/analytics/funnel", "get", "200"),
            ("/v1/analytics/customers", "get", "200"),
            ("/v1/orders/{id}/cancel", "post", "202"),
            ("/v1/orders/{id}/ship", "post", "202"),
            ("/v1/orders/{id}/deliver", "post", "202"),
            ("/v1/products", "post", "201"),
            ("/v1/products/{id}", "patch", "200"),
            ("/v1/products/{id}", "get", "200"),
            ("/v1/inventory/{id}", "get", "200"),
            ("/v1/inventory/{id}/receipts", "post", "201"),
        ] {
            let responses = &document["paths"][path][method]["responses"];
            assert!(responses[status]["content"]["application/json"].is_object(), "{method} {path}: {responses}");
            assert!(responses["default"]["content"]["application/problem+json"].is_object(), "{method} {path}");
        }
        assert!(document["components"]["schemas"]["Money"].is_object());
        let figures = &document["paths"]["/v1/analytics/revenue"]["get"]["responses"]["200"]["content"];
        assert!(figures["text/csv"].is_object(), "{figures}");
    }
}
