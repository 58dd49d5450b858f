//! The wall clock, read in one place.

use std::time::SystemTime;

use chrono::{DateTime, Utc};

pub fn now() -> DateTime<Utc> {
    SystemTime::now().into()
}
