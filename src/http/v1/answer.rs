//! A good answer: status, body, and the headers that go with it.

use aide::generate::GenContext;
use aide::openapi::{Operation, Response as Documented, StatusCode as Code};
use aide::operation::OperationOutput;
use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

use crate::contracts::{Position, PositionToken};

/// Header with the position of what was written: a reader may wait for it.
const POSITION: HeaderName = HeaderName::from_static("ordo-position");
/// Header of an answer that has not seen the position asked for.
const STALE: HeaderName = HeaderName::from_static("ordo-stale");

/// `200`.
pub(super) type Found<T> = Answer<200, T>;
/// `201`.
pub(super) type Created<T> = Answer<201, T>;
/// `202`.
pub(super) type Accepted<T> = Answer<202, T>;

/// An answer of one status.
#[derive(Debug)]
pub(super) struct Answer<const STATUS: u16, T> {
    body: T,
    location: Option<String>,
    position: Option<PositionToken>,
    behind: Option<Position>,
}

impl<const STATUS: u16, T> Answer<STATUS, T> {
    pub(super) fn new(body: T) -> Self {
        Self { body, location: None, position: None, behind: None }
    }

    pub(super) fn at(mut self, location: String) -> Self {
        self.location = Some(location);
        self
    }

    pub(super) fn position(mut self, position: PositionToken) -> Self {
        self.position = Some(position);
        self
    }

    pub(super) fn behind(mut self, behind: Option<Position>) -> Self {
        self.behind = behind;
        self
    }
}

impl<const STATUS: u16, T: Serialize> IntoResponse for Answer<STATUS, T> {
    fn into_response(self) -> Response {
        let mut response = Json(self.body).into_response();
        *response.status_mut() = StatusCode::from_u16(STATUS).expect("the statuses above");
        let headers = response.headers_mut();
        let mut set = |name: HeaderName, value: Option<String>| {
            if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
                headers.insert(name, value);
            }
        };
        set(header::LOCATION, self.location);
        set(POSITION, self.position.map(|position| position.to_string()));
        set(STALE, self.behind.map(|behind| format!("behind={behind}")));
        response
    }
}

impl<const STATUS: u16, T: JsonSchema> OperationOutput for Answer<STATUS, T> {
    type Inner = T;

    fn operation_response(ctx: &mut GenContext, operation: &mut Operation) -> Option<Documented> {
        Json::<T>::operation_response(ctx, operation)
    }

    fn inferred_responses(ctx: &mut GenContext, operation: &mut Operation) -> Vec<(Option<Code>, Documented)> {
        let documented = Self::operation_response(ctx, operation);
        documented.map(|documented| (Some(Code::Code(STATUS)), documented)).into_iter().collect()
    }
}
