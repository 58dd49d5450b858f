//! Commands from consumers: sent and answered before the batch's transaction opens; streams in parallel, one stream in
//! order. "Already so" and any refusal are outcomes, counted, never dead letters.

use std::collections::BTreeMap;

use futures::future::try_join_all;

use super::consumer::OrderCommand;
use super::{Delivered, Dependency, Failure};
use crate::commands::{CommandError, Commands, Lane, Request};
use crate::contracts::Meta;
use crate::domain::OrderId;
use crate::telemetry;

/// Sends a batch's commands and waits for every answer.
///
/// # Errors
/// [`Failure::DependencyDown`] if the aggregates cannot answer now; [`Failure::Permanent`] if they never will.
pub async fn send(
    subscription: &str,
    wanted: Vec<OrderCommand>,
    events: &[&Delivered],
    commands: &Commands,
) -> Result<(), Failure> {
    let mut by_order: BTreeMap<OrderId, Vec<OrderCommand>> = BTreeMap::new();
    for command in wanted {
        by_order.entry(command.order_id).or_default().push(command);
    }
    let streams = by_order.into_values().map(|of_one| async move {
        for command in of_one {
            send_one(subscription, command, events, commands).await?;
        }
        Ok(())
    });
    try_join_all(streams).await.map(drop)
}

async fn send_one(
    subscription: &str,
    wanted: OrderCommand,
    events: &[&Delivered],
    commands: &Commands,
) -> Result<(), Failure> {
    let request = Request { meta: caused_by(events[wanted.cause]), lane: Lane::Consumer };
    let name = wanted.command.name();
    match commands.orders.execute(wanted.order_id, wanted.command, request).await {
        Ok(receipt) => {
            let outcome = if receipt.appended { "done" } else { "already_so" };
            telemetry::subscription::command_answered(subscription, name, outcome);
            Ok(())
        }
        Err(CommandError::Refused { code, .. }) => {
            telemetry::subscription::command_answered(subscription, name, code);
            Ok(())
        }
        Err(error @ (CommandError::TooLarge { .. } | CommandError::UnknownProducts(_))) => {
            Err(Failure::permanent(error))
        }
        Err(error) => Err(Failure::DependencyDown(Dependency::Orders, error.into())),
    }
}

/// What an event's consequences carry: its story, and itself as their cause.
pub(super) fn caused_by(cause: &Delivered) -> Meta {
    let meta = cause.event.meta();
    Meta {
        request_hash: None,
        correlation_id: meta.correlation_id,
        causation_id: Some(cause.event_id),
        traceparent: meta.traceparent,
    }
}
