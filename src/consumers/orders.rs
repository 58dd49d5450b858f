//! Carries inventory's decisions to the orders they are about.

use serde::Deserialize;

use crate::contracts::topics;
use crate::domain::OrderId;
use crate::domain::inventory::OUT_OF_STOCK;
use crate::domain::order::{Command, MissingLine};
use crate::subscription::{Consumer, OrderCommand, Received, reads};

/// The part of `inventory.reserved` that is read.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reserved {
    order_id: OrderId,
}

/// The part of `inventory.rejected` that is read.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rejected {
    order_id: OrderId,
    missing: Vec<MissingLine>,
}

reads! {
    /// What this consumer reads.
    enum Reads {
        "inventory.reserved" => Reserved(Reserved),
        "inventory.rejected" => Rejected(Rejected),
    }
}

/// The consumer.
#[derive(Debug)]
pub struct Orders;

impl Consumer for Orders {
    const NAME: &'static str = "orders";
    const TOPICS: &'static [&'static str] = &[topics::INVENTORY_EVENTS];
    type Reads = Reads;

    fn commands(&self, batch: &[Received<Reads>]) -> Vec<OrderCommand> {
        batch.iter().map(command).collect()
    }
}

fn command(received: &Received<Reads>) -> OrderCommand {
    let (order_id, command) = match &received.event {
        Reads::Reserved(reserved) => (reserved.order_id, Command::Confirm),
        Reads::Rejected(rejected) => {
            let (reason, missing) = (OUT_OF_STOCK.to_owned(), rejected.missing.clone());
            (rejected.order_id, Command::Reject { reason, missing })
        }
    };
    OrderCommand { cause: received.cause, order_id, command }
}
