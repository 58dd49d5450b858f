//! Checks a settled ordo from outside.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    ordo_harness::checker::main().await
}
