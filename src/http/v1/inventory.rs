//! Stock: how much there is, and what came in.

use aide::axum::ApiRouter;
use aide::axum::routing::{get_with, post_with};
use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::answer::{Answer, Created, Found};
use super::{RequestHash, Shared};
use crate::clock;
use crate::commands::{CommandError, Goods};
use crate::domain::{IdempotencyScope, ProductId, ReceiptId};
use crate::http::error::{Failed, Problem, Refused, key_reused};
use crate::http::extract::{Body, Id, Key, Story};
use crate::http::limits::Checks;
use crate::projections::stock;

pub(super) fn routes() -> ApiRouter<Shared> {
    ApiRouter::new()
        .api_route("/v1/inventory/{id}", get_with(get, |op| op.id("getStock").summary("Stock of one product")))
        .api_route(
            "/v1/inventory/{id}/receipts",
            post_with(receive, |op| {
                op.id("receiveStock").summary("Goods that came in; the answer already counts them")
            }),
        )
}

/// Pieces of one product by where they are.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct StockBody {
    product_id: String,
    /// Free to be reserved.
    available: i64,
    /// Set aside for orders.
    reserved: i64,
    /// Gone to customers.
    shipped: i64,
}

async fn get(State(gateway): State<Shared>, Id(product_id): Id<ProductId>) -> Result<Found<StockBody>, Failed> {
    let row = stock::get(&gateway.models, &product_id).await?.ok_or_else(|| {
        Problem::not_found("stock_not_found", format!("nothing of {product_id} was ever received"))
            .next("receive some with POST /v1/inventory/{productId}/receipts")
    })?;
    let stock::StockRow { product_id, available, reserved, shipped } = row;
    Ok(Answer::new(StockBody { product_id, available, reserved, shipped }))
}

/// Goods that came in.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewReceipt {
    /// How many.
    #[schemars(range(min = 1, max = 1_000_000))]
    quantity: u32,
}

/// A stock receipt.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ReceiptBody {
    receipt_id: ReceiptId,
    product_id: ProductId,
    quantity: u32,
}

async fn receive(
    State(gateway): State<Shared>,
    Id(product_id): Id<ProductId>,
    Key(key): Key,
    story: Story,
    Body(NewReceipt { quantity }): Body<NewReceipt>,
) -> Result<Created<ReceiptBody>, Failed> {
    let mut checks = Checks::default();
    checks.quantity(|| "quantity".to_owned(), quantity);
    checks.done()?;
    let receipt_id = match &key {
        Some(key) => ReceiptId::derive(&IdempotencyScope::product(&product_id), key),
        None => clock::new_id().into(),
    };
    let hash = RequestHash::default().field(product_id.as_str()).field(quantity.to_be_bytes()).hex();
    let goods = Goods { receipt_id, product_id: product_id.clone(), quantity };
    let received = gateway.commands.receive_stock.receive(goods, story.request(Some(hash))).await;
    let receipt = received.map_err(|error| refused(error, key.is_some()))?;
    Ok(Answer::new(ReceiptBody { receipt_id, product_id, quantity }).position(receipt.token))
}

fn refused(error: CommandError, has_key: bool) -> Refused {
    match error {
        CommandError::Refused { code: "receipt_exists", .. } if has_key => key_reused("a receipt"),
        unknown @ CommandError::UnknownProducts(_) => Problem::not_found("product_not_found", unknown.to_string())
            .next("create the product with POST /v1/products"),
        other => other.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::RefusalKind;

    #[test]
    fn a_key_with_another_quantity_is_422() {
        let taken = CommandError::Refused { code: "receipt_exists", detail: String::new(), kind: RefusalKind::State };
        assert_eq!(refused(taken, true).code(), "idempotency_key_reused");
    }

    #[test]
    fn stock_of_an_unknown_product_is_404() {
        let unknown = CommandError::UnknownProducts(vec!["mug".parse().expect("an id")]);
        assert_eq!(refused(unknown, false).status().as_u16(), 404);
    }
}
