//! How long a caller waits while a consumer, or the broker, is frozen at work.

use anyhow::Context;
use futures::FutureExt;
use futures::future::BoxFuture;

use super::{Row, accept, accept_running};
use crate::bench::frozen::Frozen;
use crate::bench::measure::Measure;
use crate::bench::stage::Stage;

pub const INVENTORY: AcceptStopped = AcceptStopped {
    name: "accept-inventory-stopped",
    about: "latency of acceptance at half load, inventory stopped by SIGSTOP",
    freeze: |stage| stage.service.freeze_inventory(),
};
pub const NOTIFICATION: AcceptStopped = AcceptStopped {
    name: "accept-notification-stopped",
    about: "latency of acceptance at half load, notification stopped by SIGSTOP",
    freeze: |stage| stage.service.notification.freeze(),
};
pub const KAFKA: AcceptStopped = AcceptStopped {
    name: "accept-kafka-stopped",
    about: "latency of acceptance at half load, the broker stopped by SIGSTOP",
    freeze: |stage| {
        let pid = stage.kafka_pid.context("which process is the broker? name it with --kafka-pid")?;
        Frozen::process("the broker", pid)
    },
};

pub struct AcceptStopped {
    name: &'static str,
    about: &'static str,
    freeze: fn(&Stage) -> anyhow::Result<Frozen>,
}

impl Row for AcceptStopped {
    fn name(&self) -> &'static str {
        self.name
    }

    fn about(&self) -> &'static str {
        self.about
    }

    fn baseline(&self) -> Option<&'static str> {
        Some(accept_running::NAME)
    }

    fn round<'a>(&'a self, stage: &'a Stage) -> BoxFuture<'a, anyhow::Result<Vec<Measure>>> {
        async move {
            // Stopped at work and not at rest: a transaction that is open in that moment stays open.
            accept::unmeasured(stage, accept::LEAD_IN_SECONDS).await?;
            let frozen = (self.freeze)(stage)?;
            let mut measures = accept::window(stage).await?;
            drop(frozen);
            measures.extend(accept::leftovers(stage).await?);
            Ok(measures)
        }
        .boxed()
    }
}
