use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::domain::given::{given, now};
use crate::domain::order::{NOT_ALLOWED, Status};
use crate::domain::{Currency, DomainEvent};

fn order_id() -> OrderId {
    Uuid::from_u128(7).into()
}

fn line(product: &str, quantity: u32, unit_price: i64) -> PricedLine {
    line_in("EUR", product, quantity, unit_price)
}

fn line_in(currency: &str, product: &str, quantity: u32, unit_price: i64) -> PricedLine {
    PricedLine {
        product_id: product.parse().unwrap(),
        quantity,
        unit_price,
        currency: currency.parse::<Currency>().unwrap(),
        product_version: 3,
    }
}

fn placing(lines: Vec<PricedLine>) -> Command {
    Command::Place { order_id: order_id(), user_id: "ada".parse().unwrap(), lines }
}

fn stored(product: &str, quantity: u32, unit_price: i64) -> Line {
    Line { product_id: product.parse().unwrap(), quantity, unit_price, product_version: 3 }
}

fn created_with(items: Vec<Line>, total_amount: i64) -> Event {
    Event::Created(OrderCreated {
        order_id: order_id(),
        user_id: "ada".parse().unwrap(),
        items,
        total_amount,
        currency: "EUR".parse().unwrap(),
        created_at: now(),
    })
}

fn created() -> Event {
    created_with(vec![stored("mug", 2, 1250)], 2500)
}

fn facts(confirmed_at: Option<DateTime<Utc>>) -> Facts {
    let Event::Created(created) = created() else { unreachable!("created() is a creation") };
    Facts { confirmed_at, ..Facts::from(&created) }
}

fn confirmed() -> Event {
    Event::Confirmed(facts(None).moved(Some(now()), None))
}

fn missing() -> Vec<MissingLine> {
    vec![MissingLine { product_id: "mug".parse().unwrap(), requested: 2, available: 1 }]
}

fn rejected() -> Event {
    Event::Rejected(facts(None).rejected("out_of_stock", &missing()))
}

fn rejecting() -> Command {
    Command::Reject { reason: "out_of_stock".into(), missing: missing() }
}

fn cancelling() -> Command {
    Command::Cancel { reason: "changed my mind".into() }
}

fn cancelled_from(confirmed_at: Option<DateTime<Utc>>) -> Event {
    Event::Cancelled(facts(confirmed_at).moved(confirmed_at, Some("changed my mind".into())))
}

fn shipped() -> Event {
    Event::Shipped(facts(Some(now())).ended())
}

fn delivered() -> Event {
    Event::Delivered(facts(Some(now())).ended())
}

#[test]
fn an_order_takes_the_catalogues_prices_and_sums_them() {
    given::<Order>([])
        .when(placing(vec![line("mug", 2, 1250), line("tea", 1, 499)]))
        .then([created_with(vec![stored("mug", 2, 1250), stored("tea", 1, 499)], 2999)]);
}

#[test]
fn the_same_product_twice_becomes_one_line() {
    given::<Order>([])
        .when(placing(vec![line("tea", 1, 499), line("mug", 2, 1250), line("tea", 3, 499)]))
        .then([created_with(vec![stored("mug", 2, 1250), stored("tea", 4, 499)], 4496)]);
}

#[test]
fn an_order_without_lines_is_refused() {
    given::<Order>([]).when(placing(vec![])).then_refuses("no_lines");
}

#[test]
fn an_order_of_more_than_500_products_is_refused() {
    let lines = |n: usize| (0..n).map(|i| line(&format!("p{i}"), 1, 1)).collect();
    assert!(Order::default().decide(&placing(lines(500)), now()).is_ok());
    given::<Order>([]).when(placing(lines(501))).then_refuses("too_many_lines");
}

#[test]
fn no_piece_or_more_than_a_million_pieces_are_refused_also_after_merging() {
    given::<Order>([]).when(placing(vec![line("mug", 0, 1)])).then_refuses("quantity_out_of_range");
    given::<Order>([]).when(placing(vec![line("mug", 1_000_001, 1)])).then_refuses("quantity_out_of_range");
    given::<Order>([])
        .when(placing(vec![line("mug", 1_000_000, 1), line("mug", 1, 1)]))
        .then_refuses("quantity_out_of_range");
}

#[test]
fn two_currencies_in_one_order_are_refused() {
    given::<Order>([])
        .when(placing(vec![line("mug", 1, 1), line_in("USD", "tea", 1, 1)]))
        .then_refuses("mixed_currency");
}

#[test]
fn a_total_that_cannot_be_counted_exactly_is_refused() {
    given::<Order>([]).when(placing(vec![line("mug", 1_000_000, 1 << 52)])).then_refuses("total_too_large");
}

#[test]
fn a_second_placing_is_refused_whatever_became_of_the_order() {
    for history in [vec![created()], vec![created(), confirmed()], vec![created(), rejected()]] {
        given::<Order>(history).when(placing(vec![line("mug", 1, 1)])).then_refuses("order_exists");
    }
}

#[test]
fn an_order_that_was_never_placed_is_unknown_to_every_other_command() {
    for command in [Command::Confirm, rejecting(), cancelling(), Command::Ship, Command::Deliver] {
        given::<Order>([]).when(command).then_refuses("order_not_found");
    }
}

#[test]
fn a_processing_order_can_be_confirmed_rejected_or_cancelled() {
    given::<Order>([created()]).when(Command::Confirm).then([confirmed()]);
    given::<Order>([created()]).when(rejecting()).then([rejected()]);
    given::<Order>([created()]).when(cancelling()).then([cancelled_from(None)]);
}

#[test]
fn a_processing_order_can_neither_ship_nor_arrive() {
    given::<Order>([created()]).when(Command::Ship).then_refuses(NOT_ALLOWED);
    given::<Order>([created()]).when(Command::Deliver).then_refuses(NOT_ALLOWED);
}

#[test]
fn confirming_twice_changes_nothing() {
    given::<Order>([created(), confirmed()]).when(Command::Confirm).then([]);
}

#[test]
fn a_confirmed_order_can_ship_or_be_cancelled_and_remembers_when_it_was_confirmed() {
    given::<Order>([created(), confirmed()]).when(Command::Ship).then([shipped()]);
    given::<Order>([created(), confirmed()]).when(cancelling()).then([cancelled_from(Some(now()))]);
}

#[test]
fn a_confirmed_order_can_neither_be_rejected_nor_arrive() {
    given::<Order>([created(), confirmed()]).when(rejecting()).then_refuses(NOT_ALLOWED);
    given::<Order>([created(), confirmed()]).when(Command::Deliver).then_refuses(NOT_ALLOWED);
}

#[test]
fn a_rejected_order_stays_rejected() {
    given::<Order>([created(), rejected()]).when(rejecting()).then([]);
    for command in [Command::Confirm, cancelling(), Command::Ship, Command::Deliver] {
        given::<Order>([created(), rejected()]).when(command).then_refuses(NOT_ALLOWED);
    }
}

#[test]
fn a_cancelled_order_stays_cancelled() {
    given::<Order>([created(), cancelled_from(None)]).when(cancelling()).then([]);
    for command in [Command::Confirm, rejecting(), Command::Ship, Command::Deliver] {
        given::<Order>([created(), cancelled_from(None)]).when(command).then_refuses(NOT_ALLOWED);
    }
}

#[test]
fn a_shipped_order_can_only_arrive() {
    let history = || [created(), confirmed(), shipped()];
    given::<Order>(history()).when(Command::Deliver).then([delivered()]);
    given::<Order>(history()).when(Command::Ship).then([]);
    for command in [Command::Confirm, rejecting(), cancelling()] {
        given::<Order>(history()).when(command).then_refuses(NOT_ALLOWED);
    }
}

#[test]
fn a_delivered_order_is_done() {
    let history = || [created(), confirmed(), shipped(), delivered()];
    given::<Order>(history()).when(Command::Deliver).then([]);
    for command in [Command::Confirm, rejecting(), cancelling(), Command::Ship] {
        given::<Order>(history()).when(command).then_refuses(NOT_ALLOWED);
    }
}

#[test]
fn the_created_payload_is_the_published_contract() {
    let payload: serde_json::Value = serde_json::from_str(&created().to_payload()).unwrap();
    assert_eq!(
        payload,
        serde_json::json!({
            "orderId": order_id(), "userId": "ada",
            "items": [{"productId": "mug", "quantity": 2, "unitPrice": 1250, "productVersion": 3}],
            "totalAmount": 2500, "currency": "EUR", "createdAt": "2023-11-14T22:13:20Z"
        })
    );
}

fn any_command() -> impl Strategy<Value = Command> {
    prop_oneof![
        (1..5_u32, 0..10_000_i64).prop_map(|(quantity, price)| placing(vec![line("mug", quantity, price)])),
        Just(Command::Confirm),
        Just(rejecting()),
        Just(cancelling()),
        Just(Command::Ship),
        Just(Command::Deliver),
    ]
}

proptest! {
    /// The state an actor holds is the fold of what it appended, after any requests; stored and read back, too.
    #[test]
    fn replaying_the_events_gives_the_state(commands in prop::collection::vec(any_command(), 0..12)) {
        let mut live = Order::default();
        let mut log = Vec::new();
        for command in commands {
            if let Ok(events) = live.decide(&command, now()) {
                live = events.iter().fold(live, Order::evolve);
                log.extend(events);
            }
        }
        let replayed = log.iter().fold(Order::default(), |order, event| {
            order.evolve(&Event::from_payload(event.event_type(), &event.to_payload()).unwrap())
        });
        prop_assert_eq!(live, replayed);
    }

    /// Whatever was just done, asking for it again appends nothing: consumers may ask twice.
    #[test]
    fn asking_twice_is_already_so(commands in prop::collection::vec(any_command(), 1..12)) {
        let mut order = Order::default();
        for command in commands {
            if let Ok(events) = order.decide(&command, now()) {
                order = events.iter().fold(order, Order::evolve);
                if !Order::creates(&command) {
                    prop_assert_eq!(order.decide(&command, now()), Ok(vec![]));
                }
            }
        }
    }

    /// An order is never both confirmed after a rejection nor rejected after a confirmation.
    #[test]
    fn no_order_is_both_confirmed_and_rejected(commands in prop::collection::vec(any_command(), 0..20)) {
        let mut order = Order::default();
        let (mut was_confirmed, mut was_rejected) = (false, false);
        for command in commands {
            if let Ok(events) = order.decide(&command, now()) {
                order = events.iter().fold(order, Order::evolve);
            }
            was_confirmed |= order.status() == Some(Status::Confirmed);
            was_rejected |= order.status() == Some(Status::Rejected);
        }
        prop_assert!(!(was_confirmed && was_rejected));
    }
}
