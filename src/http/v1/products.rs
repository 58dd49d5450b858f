//! The catalogue.

use std::collections::BTreeMap;

use aide::axum::ApiRouter;
use aide::axum::routing::{get_with, post_with};
use axum::extract::State;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::answer::{Answer, Created, Found};
use super::fresh::Freshness;
use super::{RequestHash, Shared};
use crate::clock;
use crate::domain::product::{Changes, Command, Details};
use crate::domain::{Money, ProductId};
use crate::http::error::{Failed, Problem, Refused, internal};
use crate::http::extract::{Body, Id, Params, Story};
use crate::http::limits::Checks;
use crate::projections::ProductView;
use crate::projections::product_view::{self, ProductRow};
use crate::read_model::Projection as _;

pub(super) fn routes() -> ApiRouter<Shared> {
    ApiRouter::new()
        .api_route(
            "/v1/products",
            post_with(create, |op| op.id("createProduct").summary("Puts a product into the catalogue")),
        )
        .api_route(
            "/v1/products/{id}",
            get_with(get, |op| op.id("getProduct").summary("One product"))
                .patch_with(change, |op| op.id("changeProduct").summary("Changes some fields; a new price is this")),
        )
}

/// A product to be.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewProduct {
    /// Your own id for it; a new one if left out.
    product_id: Option<ProductId>,
    /// What customers call it.
    name: String,
    /// Price of one.
    price: Money,
    /// Longer text.
    #[serde(default)]
    description: String,
    /// Anything else, by name.
    #[serde(default)]
    attributes: BTreeMap<String, String>,
}

/// What was put into the catalogue.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ProductBody {
    product_id: String,
    name: String,
    price: Money,
    description: String,
    attributes: BTreeMap<String, String>,
}

/// A product as the catalogue has it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct CatalogueEntry {
    #[serde(flatten)]
    product: ProductBody,
    version: i32,
    created_at: Option<DateTime<Utc>>,
    updated_at: Option<DateTime<Utc>>,
}

/// A change that was made.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Changed {
    product_id: ProductId,
    /// Version of the product after the change.
    version: i32,
}

async fn create(
    State(gateway): State<Shared>,
    story: Story,
    Body(product): Body<NewProduct>,
) -> Result<Created<ProductBody>, Failed> {
    let mut checks = Checks::default();
    checks.name("name", &product.name);
    checks.text("description", &product.description);
    checks.attributes(&product.attributes);
    price(&mut checks, product.price);
    checks.done()?;
    let request = story.request(Some(hash(&product)));
    let NewProduct { product_id, name, price, description, attributes } = product;
    let product_id = product_id.unwrap_or_else(|| clock::new_id().into());
    let details = Details { name, price, description, attributes };
    let command = Command::Create { product_id: product_id.clone(), details: details.clone() };
    let receipt = gateway.commands.products.execute(product_id.clone(), command, request).await?;
    let Details { name, price, description, attributes } = details;
    let location = format!("/v1/products/{product_id}");
    let body = ProductBody { product_id: product_id.into(), name, price, description, attributes };
    Ok(Answer::new(body).at(location).position(receipt.token))
}

fn price(checks: &mut Checks, price: Money) {
    if let Err(why) = price.checked() {
        checks.fail("price.amount", why.to_string());
    }
}

fn hash(product: &NewProduct) -> String {
    let hash = RequestHash::default()
        .field(product.product_id.as_ref().map_or("", ProductId::as_str))
        .field(&product.name)
        .field(product.price.amount().to_be_bytes())
        .field(product.price.currency().as_str())
        .field(&product.description);
    product.attributes.iter().fold(hash, |hash, (name, value)| hash.field(name).field(value)).hex()
}

async fn change(
    State(gateway): State<Shared>,
    Id(product_id): Id<ProductId>,
    story: Story,
    Body(changes): Body<Changes>,
) -> Result<Found<Changed>, Failed> {
    let mut checks = Checks::default();
    changes.name.iter().for_each(|name| checks.name("name", name));
    changes.description.iter().for_each(|text| checks.text("description", text));
    changes.attributes.iter().for_each(|attributes| checks.attributes(attributes));
    changes.price.iter().for_each(|new| price(&mut checks, *new));
    checks.done()?;
    let command = Command::Update { changes };
    let receipt = gateway.commands.products.execute(product_id.clone(), command, story.request(None)).await?;
    Ok(Answer::new(Changed { product_id, version: receipt.version }).position(receipt.token))
}

async fn get(
    State(gateway): State<Shared>,
    Id(product_id): Id<ProductId>,
    Params(freshness): Params<Freshness>,
) -> Result<Found<CatalogueEntry>, Failed> {
    let behind = freshness.reached(ProductView::NAME, &gateway).await?;
    let row = product_view::get(&gateway.models, &product_id).await?;
    let row =
        row.ok_or_else(|| Problem::not_found("product_not_found", format!("there is no product {product_id}")))?;
    Ok(Answer::new(CatalogueEntry::try_from(row)?).behind(behind))
}

impl TryFrom<ProductRow> for CatalogueEntry {
    type Error = Refused;

    fn try_from(row: ProductRow) -> Result<Self, Refused> {
        let currency = row.currency.parse().map_err(|why| internal(&why))?;
        let product = ProductBody {
            product_id: row.product_id,
            name: row.name,
            price: Money::new(row.amount, currency).map_err(|why| internal(&why))?,
            description: row.description,
            attributes: row.attributes.0,
        };
        Ok(Self { product, version: row.version, created_at: row.created_at, updated_at: row.updated_at })
    }
}
