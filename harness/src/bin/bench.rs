//! Measures a running ordo, row by row.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    ordo_harness::bench::main().await
}
