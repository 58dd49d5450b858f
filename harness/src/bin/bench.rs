//! Measures ordo.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    ordo_harness::bench::main().await
}
