//! What the command line prints: tables, JSON, and errors in one line.

use std::io::Write;
use std::process::ExitCode;

use comfy_table::{Table, TableStyle};
use serde::Serialize;

/// Prints a line. A reader that has gone (`| head`) ends the program as it would end any other.
pub(super) fn line(text: &str) {
    if writeln!(std::io::stdout(), "{text}").is_err() {
        std::process::exit(0);
    }
}

/// Prints a value as JSON.
pub(super) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    line(&serde_json::to_string_pretty(value)?);
    Ok(())
}

/// Prints rows under a heading.
pub(super) fn table<const N: usize>(heading: [&str; N], rows: impl IntoIterator<Item = [String; N]>) {
    let mut table = Table::new();
    table.load_style(TableStyle::new()).set_header(heading);
    for row in rows {
        table.add_row(row);
    }
    line(&table.to_string());
}

/// Says in one line what went wrong.
pub(super) fn fail(error: &anyhow::Error) -> ExitCode {
    _ = writeln!(std::io::stderr(), "ordo: {error:#}");
    ExitCode::FAILURE
}
