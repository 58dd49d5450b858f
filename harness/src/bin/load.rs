//! Places orders at a running ordo and writes down every answer.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    ordo_harness::load::main().await
}
