//! A member joins the consumer groups and leaves them again, several times over: each time every partition may change its
//! owner in the middle of a batch, of a try and of a retry.

use std::time::Duration;

use futures::future::BoxFuture;

use super::{Fault, Wound};
use crate::load::Chance;
use crate::storm::stage::Stage;

/// One that cannot join in time leaves all the same.
const JOINS_WITHIN: Duration = Duration::from_secs(8);
/// One that does not end when it is asked to is killed.
const ENDS_WITHIN: Duration = Duration::from_secs(10);

pub struct MemberJoins;

impl Fault for MemberJoins {
    fn name(&self) -> &'static str {
        "member joins and leaves"
    }

    fn inject<'a>(&'a self, stage: &'a mut Stage, chance: &'a mut Chance) -> BoxFuture<'a, anyhow::Result<Wound>> {
        Box::pin(async move {
            let times = chance.between(2, 4);
            let mut killed = 0;
            for _ in 0..times {
                let (stays, dies) = (Duration::from_millis(chance.between(0, 2_000)), chance.percent(50));
                stage.joiner.start()?;
                // What came before may still be in its way: it is there to disturb, not to work.
                _ = tokio::time::timeout(JOINS_WITHIN, stage.joiner.ready()).await;
                tokio::time::sleep(stays).await;
                if !dies && stage.joiner.ended()?.is_none() {
                    stage.joiner.signal("TERM").await?;
                    stage.joiner.ends_within(ENDS_WITHIN).await?;
                }
                killed += u64::from(dies);
                stage.joiner.kill().await?;
            }
            Ok(Wound::of(format!("{times} times, {killed} of them killed"), Duration::ZERO))
        })
    }

    fn heal<'a>(&'a self, _: &'a mut Stage, _: &'a Wound) -> BoxFuture<'a, anyhow::Result<()>> {
        Box::pin(async { Ok(()) })
    }
}
