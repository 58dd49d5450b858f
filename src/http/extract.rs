//! What handlers take from a request, each with a clear "no": body, query, path, idempotency key, the request's story.

mod objects;

use std::error::Error;

use aide::generate::GenContext;
use aide::openapi::Operation;
use aide::operation::{OperationInput, ParamLocation, add_parameters, parameters_from_schema};
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, JsonRejection};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use self::objects::Strict;
use super::error::{Failed, FieldError, Problem, Refused};
use crate::clock;
use crate::commands;
use crate::contracts::Meta;
use crate::telemetry::trace;

/// Header that makes a repeated request meet its first answer.
const IDEMPOTENCY_KEY: &str = "Idempotency-Key";
/// Longest idempotency key.
const KEY_MAX: usize = 255;

/// A JSON body.
#[derive(Debug)]
pub struct Body<T>(pub T);

/// A JSON body that may be left out.
#[derive(Debug)]
pub struct OptionalBody<T>(pub T);

/// Query parameters.
#[derive(Debug)]
pub struct Params<T>(pub T);

/// An id in the path.
#[derive(Debug)]
pub struct Id<T>(pub T);

/// The idempotency key, if the caller sent one.
#[derive(Debug)]
pub struct Key(pub Option<String>);

/// Which story a request belongs to: correlation and trace context.
#[derive(Clone, Debug, Default)]
pub struct Story {
    /// What all events of the story share.
    pub correlation_id: Option<Uuid>,
    /// W3C trace context.
    pub traceparent: Option<String>,
}

impl Story {
    /// What goes with a command.
    #[must_use]
    pub fn request(self, request_hash: Option<String>) -> commands::Request {
        let Self { correlation_id, traceparent } = self;
        let meta = Meta { request_hash, correlation_id, causation_id: None, traceparent };
        commands::Request { meta, lane: commands::Lane::Caller }
    }
}

/// The correlation id of a request: the caller's `X-Request-Id` if it is a UUID, else a new one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Correlation(pub Uuid);

impl Correlation {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let given = headers.get("x-request-id").and_then(|id| Uuid::try_parse_ascii(id.as_bytes()).ok());
        Self(given.unwrap_or_else(clock::new_id))
    }
}

/// The trace context of what a request leads to, where the request itself is traced.
#[derive(Clone, Debug)]
pub(super) struct Traced(pub String);

/// The caller's trace context; one that cannot be read is left out, since it decides about nothing.
pub(super) fn traceparent(headers: &HeaderMap) -> Option<&str> {
    let text = headers.get("traceparent").and_then(|value| value.to_str().ok())?;
    trace::is_traceparent(text).then_some(text)
}

impl<S: Send + Sync> FromRequestParts<S> for Story {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let ours = parts.extensions.get::<Traced>().map(|traced| traced.0.clone());
        Ok(Self {
            correlation_id: parts.extensions.get::<Correlation>().map(|correlation| correlation.0),
            traceparent: ours.or_else(|| traceparent(&parts.headers).map(str::to_owned)),
        })
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Failed;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failed> {
        if !is_json(request.headers()) {
            return Err(unsupported().into());
        }
        let bytes = Bytes::from_request(request, state).await.map_err(|why| unread(&why))?;
        read(&bytes).map(Self).map_err(Failed)
    }
}

impl<T: DeserializeOwned + Default, S: Send + Sync> FromRequest<S> for OptionalBody<T> {
    type Rejection = Failed;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failed> {
        let is_json = is_json(request.headers());
        let bytes = Bytes::from_request(request, state).await.map_err(|why| unread(&why))?;
        match (bytes.is_empty(), is_json) {
            (true, _) => Ok(Self(T::default())),
            (false, true) => read(&bytes).map(Self).map_err(Failed),
            (false, false) => Err(unsupported().into()),
        }
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(|value| {
        let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
    })
}

fn unsupported() -> Refused {
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json", "the body must be JSON")
        .errors(vec![FieldError::new("Content-Type", "expected application/json")])
        .next("send the header `Content-Type: application/json`")
}

fn unread(why: &BytesRejection) -> Refused {
    if why.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body_too_large",
            "the body is larger than this service takes",
        )
        .next("send less, or have http.body_bytes raised");
    }
    Problem::new(StatusCode::BAD_REQUEST, "body_unreadable", "the body could not be read to its end")
        .next("send the request again")
}

/// Reads a body, in which an array never stands for an object; what does not fit is named by its path.
fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refused> {
    Json::from_bytes(bytes).map(|Json(Strict(value))| value).map_err(|rejection| match rejection {
        JsonRejection::JsonDataError(why) => {
            let (field, detail) = place(&why);
            Problem::invalid(vec![FieldError::new(field, detail)])
        }
        other => {
            let (_, detail) = place(&other);
            Problem::new(StatusCode::BAD_REQUEST, "malformed_json", format!("the body is not JSON: {detail}"))
                .next("correct the JSON at that place")
        }
    })
}

/// Path and message of what did not fit: the innermost error says `<path>: <message>`, or only the message, whose own
/// first words have spaces between them, which a path has not.
pub(super) fn place(why: &dyn Error) -> (String, String) {
    let mut innermost = why;
    while let Some(below) = innermost.source() {
        innermost = below;
    }
    let text = innermost.to_string();
    match text.split_once(": ") {
        Some((path, message)) if !path.contains(' ') => (path.to_owned(), message.to_owned()),
        _ => ("body".to_owned(), text),
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Failed;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failed> {
        Query::try_from_uri(&parts.uri).map(|Query(params)| Self(params)).map_err(|rejection| {
            let (field, detail) = place(&rejection);
            let field = if field == "body" { "query".to_owned() } else { field };
            Problem::new(StatusCode::BAD_REQUEST, "bad_query", format!("the query cannot be read: {detail}"))
                .errors(vec![FieldError::new(field, detail)])
                .next("correct the query parameter; /openapi.json names them all")
                .into()
        })
    }
}

impl<T, S> FromRequestParts<S> for Id<T>
where
    T: std::str::FromStr + Send,
    T::Err: std::fmt::Display,
    S: Send + Sync,
{
    type Rejection = Failed;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failed> {
        let text = Path::<String>::from_request_parts(parts, state).await.map(|Path(text)| text);
        let id =
            text.map_err(|why| why.to_string()).and_then(|text| text.parse().map_err(|why: T::Err| why.to_string()));
        id.map(Self).map_err(|why| {
            Problem::new(StatusCode::BAD_REQUEST, "bad_id", why.clone())
                .errors(vec![FieldError::new("id", why)])
                .next("correct the id in the path")
                .into()
        })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Key {
    type Rejection = Failed;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failed> {
        let mut sent = parts.headers.get_all(IDEMPOTENCY_KEY).iter();
        let Some(key) = sent.next() else { return Ok(Self(None)) };
        let is_fit = (1..=KEY_MAX).contains(&key.len()) && key.as_bytes().iter().all(|c| (b' '..=b'~').contains(c));
        match key.to_str() {
            Ok(key) if is_fit && sent.next().is_none() => Ok(Self(Some(key.to_owned()))),
            _ => {
                Err(Problem::new(StatusCode::BAD_REQUEST, "bad_idempotency_key", "the Idempotency-Key cannot be used")
                    .errors(vec![FieldError::new(IDEMPOTENCY_KEY, "one header of 1 to 255 printable ASCII characters")])
                    .next("send one key, such as a UUID")
                    .into())
            }
        }
    }
}

impl<T: JsonSchema> OperationInput for Body<T> {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        Json::<T>::operation_input(ctx, operation);
    }
}

impl<T: JsonSchema> OperationInput for OptionalBody<T> {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        Json::<T>::operation_input(ctx, operation);
        if let Some(aide::openapi::ReferenceOr::Item(body)) = &mut operation.request_body {
            body.required = false;
        }
    }
}

impl<T: JsonSchema> OperationInput for Params<T> {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        Query::<T>::operation_input(ctx, operation);
    }
}

impl<T: JsonSchema> OperationInput for Id<T> {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        document::<InPath<T>>(ctx, operation, ParamLocation::Path);
    }
}

impl OperationInput for Key {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        document::<KeyHeader>(ctx, operation, ParamLocation::Header);
    }
}

impl OperationInput for Story {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        document::<StoryHeaders>(ctx, operation, ParamLocation::Header);
    }
}

fn document<T: JsonSchema>(ctx: &mut GenContext, operation: &mut Operation, location: ParamLocation) {
    let schema = ctx.schema.subschema_for::<T>();
    let parameters = parameters_from_schema(ctx, schema, location);
    add_parameters(ctx, operation, parameters);
}

/// How the id in a path is documented.
#[derive(JsonSchema)]
#[schemars(inline)]
#[expect(dead_code, reason = "only its schema is read")]
struct InPath<T> {
    /// Which one.
    id: T,
}

/// How the idempotency key is documented.
#[derive(JsonSchema)]
#[schemars(inline)]
#[expect(dead_code, reason = "only its schema is read")]
struct KeyHeader {
    /// The same key with the same content is answered as the first time, for ever.
    #[schemars(rename = "Idempotency-Key", length(min = 1, max = 255))]
    key: Option<String>,
}

/// How the story's headers are documented.
#[derive(JsonSchema)]
#[schemars(inline)]
#[expect(dead_code, reason = "only its schema is read")]
struct StoryHeaders {
    /// What all events of the story share; answered in the same header. A new one if left out.
    #[schemars(rename = "X-Request-Id")]
    request_id: Option<Uuid>,
    /// W3C trace context, kept with every event.
    traceparent: Option<String>,
}

#[cfg(test)]
mod tests;
