//! Commands from consumers: sent and answered before the batch's transaction opens; streams in parallel, one stream in
//! order. "Already so" and any refusal are outcomes, counted, never dead letters.

use std::collections::BTreeMap;

use futures::future::try_join_all;

use super::consumer::OrderCommand;
use super::{Delivered, Dependency, Failure};
use crate::commands::{CommandError, Commands, Lane, Request};
use crate::contracts::Meta;
use crate::domain::OrderId;
use crate::telemetry::{self, subscription::Spans};

/// Sends a batch's commands and waits for every answer.
///
/// # Errors
/// [`Failure::DependencyDown`] if the aggregates cannot answer now; [`Failure::Permanent`] if they never will.
pub async fn send(
    subscription: &str,
    wanted: Vec<OrderCommand>,
    events: &[&Delivered],
    spans: &Spans,
    commands: &Commands,
) -> Result<(), Failure> {
    let mut by_order: BTreeMap<OrderId, Vec<OrderCommand>> = BTreeMap::new();
    for command in wanted {
        by_order.entry(command.order_id).or_default().push(command);
    }
    let streams = by_order.into_values().map(|of_one| async move {
        for command in of_one {
            send_one(subscription, command, events, spans, commands).await?;
        }
        Ok(())
    });
    try_join_all(streams).await.map(drop)
}

async fn send_one(
    subscription: &str,
    wanted: OrderCommand,
    events: &[&Delivered],
    spans: &Spans,
    commands: &Commands,
) -> Result<(), Failure> {
    let cause = events[wanted.cause];
    let request = Request { meta: caused_by(cause, spans), lane: Lane::Consumer };
    let name = wanted.command.name();
    match commands.orders.execute(wanted.order_id, wanted.command, request).await {
        Ok(receipt) => {
            let outcome = if receipt.appended { "done" } else { "already_so" };
            telemetry::subscription::command_answered(subscription, cause, name, outcome);
            Ok(())
        }
        Err(CommandError::Refused { code, .. }) => {
            telemetry::subscription::command_answered(subscription, cause, name, code);
            Ok(())
        }
        Err(error @ (CommandError::TooLarge { .. } | CommandError::UnknownProducts(_))) => {
            Err(Failure::permanent(error))
        }
        Err(error) => Err(Failure::DependencyDown(Dependency::Orders, error.into())),
    }
}

/// What an event's consequences carry: its story, itself as their cause, and the trace of what is being done about it.
pub(super) fn caused_by(cause: &Delivered, spans: &Spans) -> Meta {
    let meta = cause.event.meta();
    Meta {
        request_hash: None,
        correlation_id: meta.correlation_id,
        causation_id: Some(cause.event_id),
        traceparent: spans.traceparent(cause.event_id).or(meta.traceparent),
    }
}
