//! Events that were applied otherwise than the log has them: an operator has replayed their letter with a patch. Whoever folds
//! what a consumer receives has to fold them so, for as long as the letter is kept.

use std::collections::HashMap;

use sqlx::PgExecutor;

use super::StepError;
use crate::event_store::Swept;
use crate::read_model::{FedBy, Model};
use crate::subscription::patch::Patch;
use crate::subscription::standing;

/// The patches of one model's consumer, by stream and version.
#[derive(Clone, Debug, Default)]
pub(super) struct Mended(HashMap<(String, i32), String>);

impl Mended {
    /// Those that have taken effect; none of a model that is fed by the log or by decisions.
    pub(super) async fn of(model: &Model, db: impl PgExecutor<'_>) -> sqlx::Result<Self> {
        let FedBy::Consumer { name, .. } = model.fed_by() else { return Ok(Self::default()) };
        let patched = standing::patched(name, db).await?;
        Ok(Self(patched.into_iter().map(|(stream_id, version, patch)| ((stream_id, version), patch)).collect()))
    }

    /// Changes the payloads as the consumer has got them.
    pub(super) fn apply(&self, events: &mut [Swept]) -> Result<(), StepError> {
        if self.0.is_empty() {
            return Ok(());
        }
        for event in events {
            let Some(patch) = self.0.get(&(event.stream_id.clone(), event.version)) else { continue };
            let mended = Patch::parse(patch).and_then(|patch| patch.apply(event.payload.as_bytes()));
            event.payload = mended.map_err(|error| {
                let Swept { stream_id, version, .. } = &*event;
                StepError::Failed(format!("version {version} of {stream_id} was replayed with a patch: {error}"))
            })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(version: i32) -> Swept {
        Swept {
            position: version.into(),
            stream_id: "order:1".to_owned(),
            version,
            event_type: "order.created".to_owned(),
            recorded_at: chrono::DateTime::default(),
            payload: r#"{"totalAmount":100}"#.to_owned(),
        }
    }

    #[test]
    fn only_what_was_replayed_with_a_patch_is_changed() {
        let patch = r#"[{"op":"replace","path":"/totalAmount","value":70}]"#.to_owned();
        let mended = Mended([(("order:1".to_owned(), 2), patch)].into());
        let mut events = [event(1), event(2)];
        mended.apply(&mut events).unwrap();
        assert_eq!(events.map(|event| event.payload), [r#"{"totalAmount":100}"#, r#"{"totalAmount":70}"#]);
    }

    #[test]
    fn a_patch_that_fits_no_more_is_told_with_its_event() {
        let patch = r#"[{"op":"remove","path":"/gone"}]"#.to_owned();
        let mended = Mended([(("order:1".to_owned(), 1), patch)].into());
        let error = mended.apply(&mut [event(1)]).unwrap_err();
        assert!(error.to_string().starts_with("version 1 of order:1 was replayed with a patch"), "{error}");
    }
}
