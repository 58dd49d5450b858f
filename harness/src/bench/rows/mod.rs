//! What is measured. One row = one file and one line in [`all`]; rows that differ in one value share a file.

mod accept;
mod accept_catching_up;
mod accept_running;
mod accept_stopped;
mod accepted;
mod inventory_catching_up;
mod poisoned_stream;
mod rebuild_alone;
mod rebuild_under_load;
mod snapshot_held;

use futures::future::BoxFuture;

pub use accept::ASKED;

use super::measure::Measure;
use super::stage::Stage;

pub trait Row {
    fn name(&self) -> &'static str;
    fn about(&self) -> &'static str;
    /// The row whose headline this one's is divided by.
    fn baseline(&self) -> Option<&'static str> {
        None
    }
    /// One round; the first measure is the headline. The stage is drained before.
    fn round<'a>(&'a self, stage: &'a Stage) -> BoxFuture<'a, anyhow::Result<Vec<Measure>>>;
}

pub fn all() -> Vec<Box<dyn Row>> {
    vec![
        Box::new(accepted::AT_64),
        Box::new(accepted::AT_256),
        Box::new(accept_running::AcceptRunning),
        Box::new(accept_stopped::INVENTORY),
        Box::new(accept_stopped::NOTIFICATION),
        Box::new(accept_stopped::KAFKA),
        Box::new(accept_catching_up::AcceptCatchingUp),
        Box::new(snapshot_held::SnapshotHeld),
        Box::new(poisoned_stream::PoisonedStream::default()),
        Box::new(inventory_catching_up::InventoryCatchingUp::default()),
        Box::new(rebuild_alone::RebuildAlone::default()),
        Box::new(rebuild_under_load::RebuildUnderLoad),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_every_baseline_is_a_row() {
        let names: Vec<&str> = all().iter().map(|row| row.name()).collect();
        for (index, row) in all().iter().enumerate() {
            assert!(!names[..index].contains(&row.name()), "{} is there twice", row.name());
            assert!(row.baseline().is_none_or(|baseline| names.contains(&baseline)), "{}", row.name());
        }
    }
}
