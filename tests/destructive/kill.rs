use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use super::servers::server;
use crate::support::{TestApp, required};

fn harness(bin: &str) -> Command {
    let mut command = Command::new(PathBuf::from(required("ORDO_HARNESS_BIN")).join(bin));
    command.kill_on_drop(true);
    command
}

async fn check(app: &TestApp, history: &str) {
    let output = harness("checker")
        .args(["--topic-prefix", &app.prefix, history])
        .env("DATABASE_URL", &app.database.url)
        .env("KAFKA_BROKERS", required("KAFKA_BROKERS"))
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "the checker found violations:\n{said}");
}

fn load(app: &TestApp, history: &str, seconds: u32) -> Command {
    let mut command = harness("load");
    command
        .args(["--url", &app.url, "--connections", "16", "--seconds", &seconds.to_string()])
        .args(["--products", "20", "--stock", "5000", "--scarce", "3", "--cancel-percent", "5"])
        .args(["--history", history, "--give-up", "40s"])
        .stdout(Stdio::null());
    command
}

/// The checker is a program of its own and reads only Postgres, Kafka and what the load generator was answered.
#[tokio::test(flavor = "multi_thread")]
async fn a_process_killed_three_times_under_load_loses_nothing_it_accepted() {
    let mut app = TestApp::start_with(&[("ORDO_HTTP__LISTEN", "127.0.0.1:18099")]).await;
    app.tolerates_crashes = true;
    let history = std::env::temp_dir().join(format!("{}.jsonl", app.database.name)).display().to_string();
    let mut generator = load(&app, &history, 20).spawn().unwrap();
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_secs(4)).await;
        app.kill().await;
        app.relaunch(&[]);
        app.ready().await;
    }
    assert!(generator.wait().await.unwrap().success());
    check(&app, &history).await;
    _ = std::fs::remove_file(&history);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_restarted_under_load_loses_nothing_that_was_accepted() {
    let mut app = TestApp::start().await;
    app.tolerates_crashes = true;
    let history = std::env::temp_dir().join(format!("{}.jsonl", app.database.name)).display().to_string();
    let mut generator = load(&app, &history, 12).spawn().unwrap();
    tokio::time::sleep(Duration::from_secs(4)).await;
    server("postgres", "restart");
    assert!(generator.wait().await.unwrap().success());
    check(&app, &history).await;
    _ = std::fs::remove_file(&history);
    app.finish().await;
}
