//! Breaks a running ordo in every way it knows and checks what is left.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    ordo_harness::storm::main().await
}
