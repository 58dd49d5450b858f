//! What the command line prints: tables, JSON, and errors in one line.

use std::io::Write;
use std::process::ExitCode;

use comfy_table::{Table, TableStyle};
use serde::Serialize;
use serde_json::{Map, Value};

/// Most characters of prose in a cell.
const PROSE: usize = 100;
/// Most items of a list in a cell.
const ITEMS: usize = 20;
/// How a time begins.
const TIME: &str = "0000-00-00T00:00:00";

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

/// Prints one value as one line of JSON.
pub(super) fn json_line(value: &Value) {
    line(&value.to_string());
}

/// Prints an answer for people: what is one value as a line, what is a list as a table under its name. What is in an
/// object is named by its path. `columns` are JSON pointers into the rows of its lists; without any each field is a column.
pub(super) fn answer(fields: &Map<String, Value>, columns: &[&str]) {
    section("", fields, columns);
}

fn section(above: &str, fields: &Map<String, Value>, columns: &[&str]) {
    let name = |name: &str| if above.is_empty() { name.to_owned() } else { format!("{above}.{name}") };
    let is_table = |value: &Value| match value {
        Value::Array(rows) => above.is_empty() || rows.iter().any(Value::is_object),
        _ => false,
    };
    for (field, value) in fields.iter().filter(|(_, value)| !value.is_object() && !is_table(value)) {
        line(&format!("{}: {}", name(field), cell(value)));
    }
    for (field, below) in fields.iter().filter_map(|(field, value)| Some((field, value.as_object()?))) {
        section(&name(field), below, columns);
    }
    for (field, rows) in fields.iter().filter(|(_, value)| is_table(value)) {
        let rows = rows.as_array().map(Vec::as_slice).unwrap_or_default();
        line(&format!("\n{} ({})", name(field), rows.len()));
        if !rows.is_empty() {
            list(rows, columns);
        }
    }
}

/// Prints rows as a table, a column a JSON pointer into them.
pub(super) fn rows(rows: &[Value], columns: &[&str]) {
    match rows {
        [] => line("nothing"),
        rows => list(rows, columns),
    }
}

/// One column a pointer, or a field, that any row has a value for.
fn list(rows: &[Value], pointers: &[&str]) {
    let has_value = |pointer: &&&str| rows.iter().any(|row| row.pointer(pointer).is_some_and(|value| !value.is_null()));
    let pointers: Vec<&str> = pointers.iter().filter(has_value).copied().collect();
    if !pointers.is_empty() {
        let mut table = Table::new();
        table.load_style(TableStyle::new());
        table.set_header(pointers.iter().map(|pointer| pointer.trim_start_matches('/').replace('/', " ")));
        for row in rows {
            table.add_row(pointers.iter().map(|pointer| cell(row.pointer(pointer).unwrap_or(&Value::Null))));
        }
        line(&table.to_string());
        return;
    }
    let columns = columns(rows);
    let mut table = Table::new();
    table.load_style(TableStyle::new());
    if columns.is_empty() {
        rows.iter().for_each(|row| _ = table.add_row([cell(row)]));
    } else {
        table.set_header(columns.iter());
        rows.iter().for_each(|row| _ = table.add_row(columns.iter().map(|column| short(&row[*column]))));
    }
    line(&table.to_string());
}

/// One a field that any row has a value for: ids first, prose last.
fn columns(rows: &[Value]) -> Vec<&str> {
    let mut columns: Vec<&str> = Vec::new();
    for (name, value) in rows.iter().filter_map(Value::as_object).flatten() {
        if !value.is_null() && !columns.contains(&name.as_str()) {
            columns.push(name);
        }
    }
    let is_prose = |column: &str| {
        let texts = rows.iter().filter_map(|row| row[column].as_str());
        texts.into_iter().any(|text| text.len() > 40 && text.contains(' '))
    };
    columns.sort_by_cached_key(|column| match column {
        id if id.ends_with("Id") => 0,
        prose if is_prose(prose) => 2,
        _ => 1,
    });
    columns
}

/// A cell of a table: times to the second, prose by its beginning. `--json` has all of it.
fn short(value: &Value) -> String {
    let text = cell(value);
    if let Some((seconds, fraction)) = text.split_once('.').filter(|(seconds, _)| seconds.len() == TIME.len()) {
        let is_time = seconds.bytes().zip(TIME.bytes()).all(|(is, like)| match like {
            b'0' => is.is_ascii_digit(),
            like => is == like,
        });
        if is_time && fraction.ends_with('Z') {
            return format!("{seconds}Z");
        }
    }
    match text.char_indices().nth(PROSE) {
        Some((end, _)) if text.contains(' ') => format!("{}…", &text[..end]),
        _ => text,
    }
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_f64() => format!("{:.3}", number.as_f64().unwrap_or_default()),
        Value::Array(values) if values.iter().all(|value| !value.is_object()) => {
            let shown: Vec<String> = values.iter().take(ITEMS).map(cell).collect();
            let rest = values.len().saturating_sub(ITEMS);
            let more = if rest > 0 { format!(" and {rest} more; --json shows them") } else { String::new() };
            format!("{}{more}", shown.join(", "))
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ids_come_first_and_prose_last() {
        let why = "a sentence that is long enough to be taken for one";
        let rows = [json!({ "error": why, "letterId": "x", "state": "open", "patch": null })];
        assert_eq!(columns(&rows), ["letterId", "state", "error"]);
    }

    #[test]
    fn a_cell_is_short() {
        assert_eq!(short(&json!("2026-01-31T08:00:00.123456Z")), "2026-01-31T08:00:00Z");
        assert_eq!(short(&json!("2026-01-31 08:00:00.123456Z")), "2026-01-31 08:00:00.123456Z");
        assert_eq!(short(&json!("ü ".repeat(100))).chars().count(), PROSE + 1);
        assert_eq!(short(&json!("x".repeat(200))).len(), 200, "an id is copied, so it is never cut");
        assert_eq!(cell(&json!((0..22).collect::<Vec<_>>())).split(',').count(), ITEMS);
    }
}
