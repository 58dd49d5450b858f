//! Every "no" as problem+json: what, where in the request, and what to do next.
//!
//! Source: RFC 9457, problem details for HTTP APIs.

use std::borrow::Cow;
use std::time::Duration;

use aide::generate::GenContext;
use aide::openapi::{Operation, Response as Documented};
use aide::operation::OperationOutput;
use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

use crate::commands::CommandError;
use crate::domain::RefusalKind;
use crate::postgres::{self, Fault};
use crate::read_model::QueryError;

/// When to try again while Postgres is down or busy.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// A problem as it goes out.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Problem {
    /// Names this kind of problem: `urn:ordo:problem:<code>`.
    #[serde(rename = "type")]
    kind: String,
    /// The status in words.
    title: String,
    /// The status of the answer.
    status: u16,
    /// What is wrong, in words.
    detail: String,
    /// What is wrong, for programs: never renamed.
    code: Cow<'static, str>,
    /// Where in the request it is wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
    /// What to do next.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    #[serde(skip)]
    #[schemars(skip)]
    retry_after: Option<Duration>,
    #[serde(skip)]
    #[schemars(skip)]
    cause: Option<String>,
}

/// Why a request met a fault of ours: goes with the answer to where it is logged, and no further.
#[derive(Clone, Debug)]
pub(super) struct Cause(pub String);

/// One field that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FieldError {
    /// Where: `items[1].quantity`, a query parameter's or a header's name.
    pub field: String,
    /// What is wrong with it.
    pub detail: String,
}

impl FieldError {
    pub(super) fn new(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { field: field.into(), detail: detail.into() }
    }
}

/// Boxed, so that the good answers stay small.
pub type Refused = Box<Problem>;

impl Problem {
    /// A problem of this status and code.
    #[must_use]
    pub fn new(status: StatusCode, code: impl Into<Cow<'static, str>>, detail: impl Into<String>) -> Refused {
        let code = code.into();
        Box::new(Self {
            kind: format!("urn:ordo:problem:{code}"),
            title: status.canonical_reason().unwrap_or("Problem").to_owned(),
            status: status.as_u16(),
            detail: detail.into(),
            code,
            errors: Vec::new(),
            next: None,
            retry_after: None,
            cause: None,
        })
    }

    /// With what to do next.
    #[must_use]
    pub fn next(mut self: Box<Self>, next: impl Into<String>) -> Refused {
        self.next = Some(next.into());
        self
    }

    /// With the fields that are wrong.
    #[must_use]
    pub fn errors(mut self: Box<Self>, errors: Vec<FieldError>) -> Refused {
        self.errors = errors;
        self
    }

    /// With when to try again.
    #[must_use]
    pub fn retry_after(mut self: Box<Self>, pause: Duration) -> Refused {
        self.retry_after = Some(pause);
        self
    }

    /// Fields that were read and are not allowed.
    #[must_use]
    pub fn invalid(errors: Vec<FieldError>) -> Refused {
        let first = errors.first().map(|error| format!("{}: {}", error.field, error.detail)).unwrap_or_default();
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_field", first)
            .errors(errors)
            .next("correct the fields in `errors` and send the request again")
    }

    /// What was asked for does not exist.
    #[must_use]
    pub fn not_found(code: &'static str, detail: impl Into<String>) -> Refused {
        Self::new(StatusCode::NOT_FOUND, code, detail).next("check the id in the path")
    }

    /// Nobody can answer now.
    #[must_use]
    pub fn unavailable(code: &'static str, detail: impl Into<String>, pause: Duration) -> Refused {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, detail)
            .retry_after(pause)
            .next("send the request again after the seconds in Retry-After")
    }

    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The reason code.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }
}

/// A key that was used before with other content.
pub(super) fn key_reused(what: &str) -> Refused {
    Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "idempotency_key_reused",
        format!("this Idempotency-Key was used before for {what} with other content"),
    )
    .errors(vec![FieldError::new("Idempotency-Key", "used before with other content")])
    .next("use a new key for new content, or send the first content again")
}

impl From<CommandError> for Refused {
    fn from(error: CommandError) -> Self {
        let detail = error.to_string();
        match error {
            CommandError::Refused { code, kind, .. } => match kind {
                RefusalKind::Unknown => Problem::not_found(code, detail),
                RefusalKind::State => Problem::new(StatusCode::CONFLICT, code, detail)
                    .next("read it and decide again; nothing was changed"),
                RefusalKind::Content => Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail)
                    .next("correct the request and send it again"),
            },
            CommandError::UnknownProducts(_) => {
                Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "unknown_product", detail)
                    .next("create the product with POST /v1/products, or correct its id")
            }
            CommandError::TooLarge { .. } => Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
                .next("send less: fewer lines or shorter texts"),
            CommandError::Contended => Problem::unavailable("contended", detail, RETRY_AFTER),
            CommandError::Overloaded { retry_after } => Problem::unavailable("overloaded", detail, retry_after),
            CommandError::Unavailable { retry_after } => Problem::unavailable("unavailable", detail, retry_after),
            CommandError::OutcomeUnknown { retry_after } => {
                Problem::unavailable("outcome_unknown", detail, retry_after).next("retry with the same key")
            }
        }
    }
}

impl From<QueryError> for Refused {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::Postgres(error) => error.into(),
            QueryError::NotBuilt(why) => Problem::unavailable("view_not_built", why.to_string(), RETRY_AFTER),
        }
    }
}

impl From<sqlx::Error> for Refused {
    fn from(error: sqlx::Error) -> Self {
        match postgres::classify(&error) {
            Fault::Lost | Fault::Unavailable | Fault::Contended => {
                Problem::unavailable("unavailable", "Postgres does not answer at the moment", RETRY_AFTER)
            }
            Fault::Rejected | Fault::Broken | Fault::VersionTaken | Fault::StockTaken | Fault::PositionTaken => {
                internal(&error)
            }
        }
    }
}

/// A bug of ours: told in full to the log, and to the caller only that it is.
pub(super) fn internal(error: &dyn std::error::Error) -> Refused {
    let mut problem =
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the request met a fault of the service")
            .next("report it with the X-Request-Id of this answer; the log has the cause");
    problem.cause = Some(error.to_string());
    problem
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status(), Json(&self)).into_response();
        if let Some(cause) = self.cause {
            response.extensions_mut().insert(Cause(cause));
        }
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(pause) = self.retry_after {
            let seconds = pause.as_secs() + u64::from(pause.subsec_nanos() > 0);
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        response
    }
}

/// A handler's error: what `?` makes of everything.
#[derive(Debug)]
pub struct Failed(pub Refused);

impl<E: Into<Refused>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        (*self.0).into_response()
    }
}

impl OperationOutput for Failed {
    type Inner = Problem;

    fn operation_response(ctx: &mut GenContext, operation: &mut Operation) -> Option<Documented> {
        let mut documented = Json::<Problem>::operation_response(ctx, operation)?;
        let body = documented.content.shift_remove("application/json")?;
        documented.content.insert("application/problem+json".to_owned(), body);
        Some(documented)
    }

    fn inferred_responses(
        ctx: &mut GenContext,
        operation: &mut Operation,
    ) -> Vec<(Option<aide::openapi::StatusCode>, Documented)> {
        Self::operation_response(ctx, operation).map(|documented| (None, documented)).into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::order::NOT_ALLOWED;

    fn refused(code: &'static str, kind: RefusalKind) -> CommandError {
        CommandError::Refused { code, detail: "no".to_owned(), kind }
    }

    #[test]
    fn every_command_error_has_its_status_and_code() {
        let soon = Duration::from_millis(300);
        for (error, status, code) in [
            (refused("order_not_found", RefusalKind::Unknown), 404, "order_not_found"),
            (refused(NOT_ALLOWED, RefusalKind::State), 409, NOT_ALLOWED),
            (refused("product_exists", RefusalKind::State), 409, "product_exists"),
            (refused("mixed_currency", RefusalKind::Content), 422, "mixed_currency"),
            (CommandError::UnknownProducts(vec![]), 422, "unknown_product"),
            (CommandError::TooLarge { bytes: 2, limit: 1 }, 413, "too_large"),
            (CommandError::Contended, 503, "contended"),
            (CommandError::Overloaded { retry_after: soon }, 503, "overloaded"),
            (CommandError::Unavailable { retry_after: soon }, 503, "unavailable"),
            (CommandError::OutcomeUnknown { retry_after: soon }, 503, "outcome_unknown"),
        ] {
            let problem = Refused::from(error);
            assert_eq!((problem.status().as_u16(), problem.code()), (status, code));
            assert!(problem.next.is_some(), "{code} says what to do next");
            let has_pause = problem.into_response().headers().contains_key(header::RETRY_AFTER);
            assert_eq!(has_pause, status == 503, "{code}");
        }
    }

    #[test]
    fn a_pause_below_a_second_is_rounded_up() {
        let response = Problem::unavailable("x", "y", Duration::from_millis(1)).into_response();
        assert_eq!(response.headers()[header::RETRY_AFTER], "1");
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
    }

    #[test]
    fn postgres_away_is_503_and_a_broken_statement_is_500() {
        assert_eq!(Refused::from(sqlx::Error::PoolTimedOut).status().as_u16(), 503);
        assert_eq!(Refused::from(sqlx::Error::RowNotFound).status().as_u16(), 500);
    }
}
