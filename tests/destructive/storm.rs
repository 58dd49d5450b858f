use std::path::PathBuf;
use std::time::Duration;

use tokio::process::Command;

use super::servers::server;
use crate::support::required;

/// The short form of `make storm`: load, nemesis and checker are programs of their own, and the seed is always the same.
async fn short_storm(scenario: &str) {
    let results = std::env::temp_dir().join(format!("ordo-storm-{scenario}-{}", std::process::id()));
    let nemesis = Command::new(PathBuf::from(required("ORDO_HARNESS_BIN")).join("nemesis"))
        .args(["--short", "--scenario", scenario])
        .args(["--set", &required("ORDO_TEST_SERVICES"), "--ordo", env!("CARGO_BIN_EXE_ordo")])
        .args(["--scripts", concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/services")])
        .arg("--results")
        .arg(&results)
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(Duration::from_secs(300), nemesis).await.expect("the storm ends").unwrap();
    // Whatever became of it, the next test finds its servers.
    server("postgres", "start");
    server("kafka", "start");
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\nlogs are kept in {}", results.display());
    std::fs::remove_dir_all(&results).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_storm_breaks_no_promise() {
    short_storm("orders").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn consumers_that_fail_in_a_short_storm_lose_nothing_and_are_mended() {
    short_storm("consumers").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_model_is_made_anew_promoted_and_taken_back_under_load_and_nobody_reads_less() {
    short_storm("models").await;
}
