//! Many orders, while an operator makes every read model anew, promotes it and takes that back. Nothing is broken.

use std::time::Duration;

use super::{Scenario, Size, Traffic, orders};
use crate::storm::forms::{Form, SHORT_RATE};

/// One for each read model there is.
const REBUILDS: [(&str, u32); 1] = [("read model rebuilt", 9)];
const SHORT: [(&str, u32); 1] = [("read model rebuilt", 1)];

pub struct Models;

impl Scenario for Models {
    fn name(&self) -> &'static str {
        "models"
    }

    fn form(&self, size: &Size<'_>) -> anyhow::Result<Form> {
        if size.is_short {
            return Ok(Form { rate: SHORT_RATE, ..Form::of(&SHORT, 1) });
        }
        let form = Form::of(&REBUILDS, 1).only(size.only)?;
        Ok(Form { rate: 300.0, rebuilds: true, settle: Duration::from_secs(120), ..form })
    }

    fn load(&self, traffic: &Traffic<'_>) -> Vec<String> {
        orders::arguments(traffic)
    }

    fn environment(&self) -> Vec<(&'static str, &'static str)> {
        // Long enough to be taken back; then it goes, or every model would be written twice.
        vec![("ORDO_READ_MODEL__KEEP", "5s")]
    }
}
