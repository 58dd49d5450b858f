//! What a product answers to each request.

use chrono::{DateTime, Utc};

use super::command::Command;
use super::event::{Changes, Event, ProductCreated, ProductUpdated};
use super::refusal::ProductRefusal;
use super::state::{Details, Product};
use crate::domain::{Aggregate, ProductId};

impl Aggregate for Product {
    const NAME: &'static str = "product";
    type Id = ProductId;
    type Command = Command;
    type Event = Event;
    type Refusal = ProductRefusal;

    fn decide(&self, command: &Command, now: DateTime<Utc>) -> Result<Vec<Event>, ProductRefusal> {
        match (self, command) {
            (Self::Absent, Command::Create { product_id, details }) => Ok(vec![created(product_id, details, now)]),
            (Self::Active { .. }, Command::Create { product_id, .. }) => {
                Err(ProductRefusal::AlreadyExists(product_id.clone()))
            }
            (Self::Absent, Command::Update { .. }) => Err(ProductRefusal::Unknown),
            (Self::Active { product_id, details }, Command::Update { changes }) => {
                Ok(updated(product_id, details.differing(changes), now).into_iter().collect())
            }
        }
    }

    fn evolve(self, event: &Event) -> Self {
        self.folded(event)
    }

    fn name_of(command: &Command) -> &'static str {
        match command {
            Command::Create { .. } => "create",
            Command::Update { .. } => "update",
        }
    }

    fn creates(command: &Command) -> bool {
        matches!(command, Command::Create { .. })
    }

    fn already_exists(command: &Command) -> ProductRefusal {
        match command {
            Command::Create { product_id, .. } => ProductRefusal::AlreadyExists(product_id.clone()),
            Command::Update { .. } => ProductRefusal::Unknown,
        }
    }
}

fn created(product_id: &ProductId, details: &Details, now: DateTime<Utc>) -> Event {
    Event::Created(ProductCreated {
        product_id: product_id.clone(),
        name: details.name.clone(),
        price: details.price,
        description: details.description.clone(),
        attributes: details.attributes.clone(),
        created_at: now,
    })
}

/// Nothing where nothing differs, so that a repeated update appends nothing.
fn updated(product_id: &ProductId, changes: Changes, now: DateTime<Utc>) -> Option<Event> {
    (changes != Changes::default())
        .then(|| Event::Updated(ProductUpdated { product_id: product_id.clone(), changes, updated_at: now }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Money;
    use crate::domain::given::{given, now};

    fn mug() -> ProductId {
        "mug".parse().unwrap()
    }

    fn euro(amount: i64) -> Money {
        Money::new(amount, "EUR".parse().unwrap()).unwrap()
    }

    fn blue() -> Details {
        Details {
            name: "Blue mug".into(),
            price: euro(1250),
            description: String::new(),
            attributes: [("colour".to_owned(), "blue".to_owned())].into(),
        }
    }

    fn price(amount: i64) -> Changes {
        Changes { price: Some(euro(amount)), ..Changes::default() }
    }

    fn change(changes: Changes) -> Event {
        Event::Updated(ProductUpdated { product_id: mug(), changes, updated_at: now() })
    }

    #[test]
    fn a_product_enters_the_catalogue_once() {
        let create = || Command::Create { product_id: mug(), details: blue() };
        given::<Product>([]).when(create()).then([created(&mug(), &blue(), now())]);
        given::<Product>([created(&mug(), &blue(), now())]).when(create()).then_refuses("product_exists");
    }

    #[test]
    fn an_update_names_only_what_changes() {
        let asked = Changes { name: Some("Blue mug".into()), ..price(1100) };
        given::<Product>([created(&mug(), &blue(), now())])
            .when(Command::Update { changes: asked })
            .then([change(price(1100))]);
    }

    #[test]
    fn an_update_that_changes_nothing_appends_nothing() {
        given::<Product>([created(&mug(), &blue(), now()), change(price(1100))])
            .when(Command::Update { changes: price(1100) })
            .then([]);
    }

    #[test]
    fn an_unknown_product_cannot_be_updated() {
        given::<Product>([]).when(Command::Update { changes: price(1) }).then_refuses("product_not_found");
    }
}
