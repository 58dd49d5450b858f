//! What the command line prints: tables, JSON, and errors in one line.

use std::io::Write;
use std::process::ExitCode;

use comfy_table::{Table, TableStyle};
use serde::Serialize;
use serde_json::{Map, Value};

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

/// Prints an answer for people: what is one value as a line, what is a list as a table under its name.
pub(super) fn answer(fields: &Map<String, Value>) {
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_array()) {
        line(&format!("{name}: {}", cell(value)));
    }
    for (name, rows) in fields.iter().filter_map(|(name, value)| Some((name, value.as_array()?))) {
        line(&format!("\n{name} ({})", rows.len()));
        if !rows.is_empty() {
            list(rows);
        }
    }
}

/// One column a field that any row has a value for.
fn list(rows: &[Value]) {
    let mut columns: Vec<&str> = Vec::new();
    for (name, value) in rows.iter().filter_map(Value::as_object).flatten() {
        if !value.is_null() && !columns.contains(&name.as_str()) {
            columns.push(name);
        }
    }
    let mut table = Table::new();
    table.load_style(TableStyle::new());
    if columns.is_empty() {
        rows.iter().for_each(|row| _ = table.add_row([cell(row)]));
    } else {
        table.set_header(columns.iter());
        rows.iter().for_each(|row| _ = table.add_row(columns.iter().map(|column| cell(&row[*column]))));
    }
    line(&table.to_string());
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_f64() => format!("{:.3}", number.as_f64().unwrap_or_default()),
        Value::Array(values) if values.iter().all(|value| !value.is_object()) => {
            values.iter().map(cell).collect::<Vec<_>>().join(", ")
        }
        Value::Array(values) => format!("{} of them; --json shows them", values.len()),
        Value::Object(fields) => {
            let words: Vec<String> = fields
                .iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(name, value)| format!("{name} {}", cell(value)))
                .collect();
            words.join(", ")
        }
        other => other.to_string(),
    }
}

/// Says in one line what went wrong.
pub(super) fn fail(error: &anyhow::Error) -> ExitCode {
    _ = writeln!(std::io::stderr(), "ordo: {error:#}");
    ExitCode::FAILURE
}
