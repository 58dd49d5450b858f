//! `POST /v1/orders`: the path every order takes, so nothing is done here that need not be.

use std::collections::HashSet;

use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::answer::{Accepted, Answer};
use super::{RequestHash, Shared};
use crate::clock;
use crate::commands::{CommandError, Wish};
use crate::domain::order::Status;
use crate::domain::{IdempotencyScope, OrderId, ProductId, UserId};
use crate::http::error::{Failed, FieldError, Refused, key_reused};
use crate::http::extract::{Body, Key, Story};
use crate::http::limits::Checks;

/// What a customer sends. Prices and status are not theirs to say.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewOrder {
    /// Who orders.
    user_id: UserId,
    /// What: 1 to 500 lines; lines of the same product are added up.
    #[schemars(length(min = 1, max = 500))]
    items: Vec<NewLine>,
}

/// One line.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewLine {
    /// What.
    product_id: ProductId,
    /// How many.
    #[schemars(range(min = 1, max = 1_000_000))]
    quantity: u32,
}

/// An order as it stands.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderStatus {
    /// Which.
    pub(super) order_id: OrderId,
    /// Where it stands.
    pub(super) status: Status,
}

pub(super) async fn place(
    State(gateway): State<Shared>,
    Key(key): Key,
    story: Story,
    Body(order): Body<NewOrder>,
) -> Result<Accepted<OrderStatus>, Failed> {
    check(&order, gateway.config.lines)?;
    let order_id = match &key {
        Some(key) => OrderId::derive(&IdempotencyScope::user(&order.user_id), key),
        None => clock::new_id().into(),
    };
    let request = story.request(Some(hash(&order)));
    let NewOrder { user_id, items } = order;
    let lines: Vec<_> = items.into_iter().map(|line| (line.product_id, line.quantity)).collect();
    let wish = Wish { order_id, user_id, lines };
    // Only a refusal for unknown products looks at the lines again; their ids are shared, not copied.
    let asked: Vec<ProductId> = wish.lines.iter().map(|line| line.0.clone()).collect();
    let receipt = gateway.commands.place_order.place(wish, request).await;
    let receipt = receipt.map_err(|error| refused(error, &asked, key.is_some()))?;
    let answer = Answer::new(OrderStatus { order_id, status: Status::Processing });
    Ok(answer.at(format!("/v1/orders/{order_id}")).position(receipt.token))
}

fn check(order: &NewOrder, most: usize) -> Result<(), Refused> {
    let mut checks = Checks::default();
    if !(1..=most).contains(&order.items.len()) {
        checks.fail("items", format!("an order has 1 to {most} lines, not {}", order.items.len()));
    }
    for (index, line) in order.items.iter().enumerate().take(most) {
        checks.quantity(|| format!("items[{index}].quantity"), line.quantity);
    }
    checks.done()
}

fn hash(order: &NewOrder) -> String {
    let hash = RequestHash::default().field(order.user_id.as_str());
    order
        .items
        .iter()
        .fold(hash, |hash, line| hash.field(line.product_id.as_str()).field(line.quantity.to_be_bytes()))
        .hex()
}

fn refused(error: CommandError, asked: &[ProductId], has_key: bool) -> Refused {
    let unknown: HashSet<ProductId> = match &error {
        CommandError::Refused { code: "order_exists", .. } if has_key => return key_reused("an order"),
        CommandError::UnknownProducts(products) => products.iter().cloned().collect(),
        _ => return error.into(),
    };
    let fields = asked.iter().enumerate().filter(|(_, product)| unknown.contains(*product));
    let errors = fields
        .map(|(index, product)| FieldError::new(format!("items[{index}].productId"), format!("no product {product}")))
        .collect();
    Refused::from(error).errors(errors)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::RefusalKind;

    fn order(quantities: &[u32]) -> NewOrder {
        let line = |quantity: &u32| NewLine { product_id: "mug".parse().expect("an id"), quantity: *quantity };
        NewOrder { user_id: "ada".parse().expect("an id"), items: quantities.iter().map(line).collect() }
    }

    fn fields(problem: &Refused) -> Vec<String> {
        let problem = serde_json::to_value(&**problem).expect("a problem is JSON");
        let errors = problem["errors"].as_array().cloned().unwrap_or_default();
        errors.iter().filter_map(|error| error["field"].as_str().map(str::to_owned)).collect()
    }

    #[test]
    fn lines_and_quantities_have_bounds() {
        assert!(check(&order(&[1]), 500).is_ok() && check(&order(&[1; 500]), 500).is_ok());
        assert_eq!(fields(&check(&order(&[]), 500).expect_err("none")), ["items"]);
        assert_eq!(fields(&check(&order(&[1; 501]), 500).expect_err("too many")), ["items"]);
        let wrong = check(&order(&[1, 0, 1_000_001]), 500).expect_err("two are wrong");
        assert_eq!(fields(&wrong), ["items[1].quantity", "items[2].quantity"]);
    }

    #[test]
    fn unknown_products_are_named_by_their_lines() {
        let asked: Vec<ProductId> = ["mug", "pen", "mug"].iter().map(|id| id.parse().expect("an id")).collect();
        let problem = refused(CommandError::UnknownProducts(vec![asked[0].clone()]), &asked, false);
        assert_eq!(problem.code(), "unknown_product");
        assert_eq!(fields(&problem), ["items[0].productId", "items[2].productId"]);
    }

    #[test]
    fn a_key_with_other_content_is_422_and_an_id_taken_without_one_409() {
        let taken = || CommandError::Refused { code: "order_exists", detail: String::new(), kind: RefusalKind::State };
        let with_key = refused(taken(), &[], true);
        assert_eq!((with_key.status().as_u16(), with_key.code()), (422, "idempotency_key_reused"));
        assert_eq!(refused(taken(), &[], false).status().as_u16(), 409);
    }

    #[test]
    fn the_hash_is_of_user_products_and_quantities() {
        assert_eq!(hash(&order(&[1, 2])), hash(&order(&[1, 2])));
        assert_ne!(hash(&order(&[1, 2])), hash(&order(&[2, 1])));
        assert_ne!(hash(&order(&[1])), hash(&order(&[1, 1])));
    }
}
