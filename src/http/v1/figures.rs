//! Rows of figures as JSON or, for a spreadsheet, as CSV: whichever the caller asks for.

use aide::generate::GenContext;
use aide::openapi::{MediaType, Operation, Response as Documented, StatusCode as Code};
use aide::operation::OperationOutput;
use axum::Json;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::http::error::{Refused, internal};

/// How figures are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Format {
    /// One object.
    Json,
    /// A heading, and a line a row.
    Csv,
}

impl Format {
    /// What was asked for by name, else what `Accept` prefers of the two; JSON where it does not say.
    pub(super) fn of(asked: Option<Self>, headers: &HeaderMap) -> Self {
        asked.or_else(|| preferred(headers)).unwrap_or(Self::Json)
    }
}

/// The one with the greatest weight, the first of several.
fn preferred(headers: &HeaderMap) -> Option<Format> {
    let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let ranges = values.flat_map(|value| value.split(',')).filter_map(|range| {
        let mut parts = range.split(';').map(str::trim);
        let format = match parts.next()?.to_ascii_lowercase().as_str() {
            "text/csv" => Format::Csv,
            "application/json" | "application/*" | "*/*" => Format::Json,
            _ => return None,
        };
        let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(Some(1.0), |weight| weight.parse().ok())?;
        (weight > 0.0_f32).then_some((format, weight))
    });
    ranges.reduce(|best, other| if other.1 > best.1 { other } else { best }).map(|(format, _)| format)
}

/// Rows of one kind.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Rows<T> {
    /// In the order that the query promises.
    items: Vec<T>,
}

/// Rows in a format.
#[derive(Debug)]
pub(super) enum Figures<T> {
    Json(Rows<T>),
    Csv(Vec<u8>),
}

impl<T: Serialize + Default> Figures<T> {
    /// # Errors
    /// A row cannot be written, which is a bug.
    pub(super) fn new(items: Vec<T>, format: Format) -> Result<Self, Refused> {
        match format {
            Format::Json => Ok(Self::Json(Rows { items })),
            Format::Csv => lines(&items).map(Self::Csv).map_err(|why| internal(&why)),
        }
    }
}

/// A heading and a line a row; the heading is there without rows, too.
fn lines<T: Serialize + Default>(rows: &[T]) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    if rows.is_empty() {
        writer.serialize(T::default())?;
    }
    for row in rows {
        writer.serialize(row)?;
    }
    let mut text = writer.into_inner().map_err(|why| why.into_error())?;
    if rows.is_empty() {
        let heading = text.iter().position(|byte| *byte == b'\n').map_or(text.len(), |end| end + 1);
        text.truncate(heading);
    }
    Ok(text)
}

impl<T: Serialize> IntoResponse for Figures<T> {
    fn into_response(self) -> Response {
        let mut response = match self {
            Self::Json(rows) => Json(rows).into_response(),
            Self::Csv(text) => {
                ([(header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present")], text).into_response()
            }
        };
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept"));
        response
    }
}

impl<T: JsonSchema> OperationOutput for Figures<T> {
    type Inner = Rows<T>;

    fn operation_response(ctx: &mut GenContext, operation: &mut Operation) -> Option<Documented> {
        let mut documented = Json::<Rows<T>>::operation_response(ctx, operation)?;
        documented.content.insert("text/csv".to_owned(), MediaType::default());
        Some(documented)
    }

    fn inferred_responses(ctx: &mut GenContext, operation: &mut Operation) -> Vec<(Option<Code>, Documented)> {
        let documented = Self::operation_response(ctx, operation);
        documented.map(|documented| (Some(Code::Code(200)), documented)).into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default, Serialize)]
    struct Row {
        name: &'static str,
        count: Option<i64>,
    }

    fn text(rows: &[Row]) -> String {
        String::from_utf8(lines(rows).expect("csv")).expect("text")
    }

    #[test]
    fn csv_has_a_heading_always_and_quotes_what_it_must() {
        let rows = [Row { name: "a, \"b\"", count: Some(-1) }, Row { name: "c", count: None }];
        assert_eq!(text(&rows), "name,count\n\"a, \"\"b\"\"\",-1\nc,\n");
        assert_eq!(text(&[]), "name,count\n");
    }

    #[test]
    fn the_parameter_counts_before_the_header_and_the_header_by_its_weights() {
        for (accept, expected) in [
            ("text/csv", Format::Csv),
            ("Text/CSV; charset=utf-8", Format::Csv),
            ("text/html, text/csv", Format::Csv),
            ("application/json;q=0.5, text/csv;q=0.9", Format::Csv),
            ("text/csv;q=0.1, */*", Format::Json),
            ("application/json, text/csv", Format::Json),
            ("text/csv;q=0", Format::Json),
            ("text/csv;q=much", Format::Json),
            ("image/png", Format::Json),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]);
            assert_eq!(Format::of(None, &headers), expected, "{accept}");
            assert_eq!(Format::of(Some(Format::Json), &headers), Format::Json, "{accept}");
        }
        assert_eq!(Format::of(None, &HeaderMap::new()), Format::Json);
        assert_eq!(Format::of(Some(Format::Csv), &HeaderMap::new()), Format::Csv);
    }
}
