//! A process that ends between two steps of its own: at a named point, at its n-th pass of it.

use std::time::Duration;

use anyhow::ensure;
use futures::future::BoxFuture;

use super::{Fault, Wound};
use crate::load::Chance;
use crate::storm::stage::Stage;

/// A point that is passed so seldom is left unpassed.
const PASSED_WITHIN: Duration = Duration::from_secs(12);

pub struct CrashPoint;

impl Fault for CrashPoint {
    fn name(&self) -> &'static str {
        "crash between two steps"
    }

    fn times(&self) -> u32 {
        2
    }

    fn kills_a_process(&self) -> bool {
        true
    }

    fn inject<'a>(&'a self, stage: &'a mut Stage, chance: &'a mut Chance) -> BoxFuture<'a, anyhow::Result<Wound>> {
        Box::pin(async move {
            ensure!(!stage.crash_points.is_empty(), "ordo names no crash points: build it with them");
            let index = usize::try_from(chance.next())? % stage.crash_points.len();
            let at = format!("{}@{}", stage.crash_points[index], chance.between(1, 40));
            let node = stage.any_node(chance);
            stage.nodes[node].kill().await?;
            stage.nodes[node].start_with(&[("ORDO_CRASH_AT", &at)])?;
            let ended = stage.nodes[node].ends_within(PASSED_WITHIN).await?;
            let what = if ended.is_some() { "" } else { ", not passed in time" };
            Ok(Wound::of_node(format!("{} at {at}{what}", stage.nodes[node].name()), node, Duration::ZERO))
        })
    }

    fn heal<'a>(&'a self, stage: &'a mut Stage, wound: &'a Wound) -> BoxFuture<'a, anyhow::Result<()>> {
        Box::pin(async move {
            // One that did not reach its point would reach it later, in the middle of another fault.
            stage.nodes[wound.node].kill().await?;
            stage.nodes[wound.node].start()
        })
    }
}
