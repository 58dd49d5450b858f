//! The products that orders name, and how they and their stock come into being.

use std::time::{Duration, Instant};

use anyhow::bail;
use futures::{StreamExt, TryStreamExt, stream};

use super::client::{Answer, Client};
use super::post::{Request, post_until_answered};
use super::retry::Patience;
use crate::history::Outcome;
use crate::progress::Progress;

const SEEDING_AT_ONCE: usize = 16;

#[derive(Clone, Debug)]
pub struct Catalogue {
    pub products: usize,
    /// Products of their own with little stock, so that some orders are rejected.
    pub scarce: usize,
    /// Products that only marked orders ask for.
    pub marked: Vec<String>,
}

impl Catalogue {
    pub fn product(&self, index: usize) -> String {
        format!("product-{:05}", index + 1)
    }

    pub fn scarce_product(&self, index: usize) -> String {
        format!("scarce-{:05}", index + 1)
    }

    /// Makes every product with its stock. Done twice, the second time changes nothing: ids and keys are the same.
    pub async fn seed(
        &self,
        client: &Client,
        stock: u64,
        scarce_stock: u64,
        patience: &Patience,
        progress: &Progress,
    ) -> anyhow::Result<()> {
        let ample = (0..self.products).map(|index| (self.product(index), stock));
        let scarce = (0..self.scarce).map(|index| (self.scarce_product(index), scarce_stock));
        let marked = self.marked.iter().map(|product| (product.clone(), stock));
        let total = self.products + self.scarce + self.marked.len();
        let mut seeded = stream::iter(ample.chain(scarce).chain(marked).enumerate().collect::<Vec<_>>())
            .map(|(index, (product, stock))| seed_product(client, product, index, stock, patience))
            .buffer_unordered(SEEDING_AT_ONCE);
        let mut done = 0;
        while seeded.try_next().await?.is_some() {
            done += 1;
            progress.show(&format!("catalogue: {done} of {total} products"));
        }
        Ok(())
    }
}

/// A service that answers before it has committed may not know its own product for a moment. That is for the checker to
/// judge; a load that ends over it shows nothing.
const KNOWN_WITHIN: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(50);

async fn seed_product(
    client: &Client,
    product: String,
    index: usize,
    stock: u64,
    patience: &Patience,
) -> anyhow::Result<()> {
    let amount = 199 + 100 * (index % 50);
    let body = serde_json::json!({
        "productId": product,
        "name": format!("Product {product}"),
        "price": {"amount": amount, "currency": "EUR"},
    });
    let key = format!("catalogue-{product}");
    must_be_accepted(client, "/v1/products", key, body.to_string(), patience).await?;
    // The service refuses a quantity of nothing, and there is nothing to receive.
    if stock == 0 {
        return Ok(());
    }
    let path = format!("/v1/inventory/{product}/receipts");
    let body = serde_json::json!({ "quantity": stock });
    must_be_accepted(client, &path, format!("stock-{product}-{stock}"), body.to_string(), patience).await
}

async fn must_be_accepted(
    client: &Client,
    path: &str,
    key: String,
    body: String,
    patience: &Patience,
) -> anyhow::Result<()> {
    let request = Request { url: client.url(path)?, key, body, number: 0 };
    let known_by = Instant::now() + KNOWN_WITHIN;
    let ended = loop {
        let ended = post_until_answered(client, &request, Instant::now(), patience, |_| true).await;
        let is_missing = matches!(ended.answer, Answer::Answered { status: 404, .. });
        if !is_missing || Instant::now() >= known_by {
            break ended;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    };
    match ended.outcome {
        Outcome::Accepted => Ok(()),
        Outcome::Refused => bail!(
            "POST {path} was refused: {}. Another catalogue is in this database: use a fresh one, or leave --stock out",
            ended.answer.describe()
        ),
        Outcome::Unknown => bail!(
            "POST {path} got no usable answer: {}. See whether the service runs (its log and /readyz), then start again",
            ended.answer.describe()
        ),
    }
}
