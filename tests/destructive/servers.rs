//! The second private set of servers.

use std::process::Command;

use crate::support::required;

/// Runs `scripts/services/<server>.sh <verb>` on the servers of this run.
pub fn server(name: &str, verb: &str) {
    let script = format!("{}/scripts/services/{name}.sh", env!("CARGO_MANIFEST_DIR"));
    let status = Command::new(script).args([verb, &required("ORDO_TEST_SERVICES")]).status().unwrap();
    assert!(status.success(), "{name} {verb}");
}

/// Starts a server again whatever becomes of the test.
pub struct Restart(pub &'static str);

impl Drop for Restart {
    fn drop(&mut self) {
        server(self.0, "start");
    }
}
