//! The arguments of a question: what its path names comes from the path, everything else from the query.

use aide::generate::GenContext;
use aide::openapi::Operation;
use aide::operation::{OperationInput, ParamLocation, add_parameters, parameters_from_schema};
use axum::extract::{FromRequestParts, Query, RawPathParams};
use axum::http::request::Parts;
use axum::http::{StatusCode, Uri};

use super::error::{Failed, FieldError, Problem};
use super::extract::place;
use crate::ops::Question;
use crate::ops::route::{encoded, placeholders};

/// The arguments of the question `Q`.
pub(super) struct Asked<Q: Question>(pub Q::Args);

impl<Q: Question, S: Send + Sync> FromRequestParts<S> for Asked<Q> {
    type Rejection = Failed;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failed> {
        // A path that is no UTF-8 names nothing: its argument is told to be missing.
        let named = RawPathParams::from_request_parts(parts, state).await.ok();
        let named = named.iter().flatten().map(|(name, value)| format!("{name}={}", encoded(value)));
        let query: Vec<String> = named.chain(parts.uri.query().map(str::to_owned)).collect();
        read::<Q>(&query.join("&")).map(Self)
    }
}

fn read<Q: Question>(query: &str) -> Result<Q::Args, Failed> {
    let bad = |field: String, detail: String| {
        let route = Q::route();
        let (code, what, next) = if placeholders(&route).any(|name| name == field) {
            ("bad_id", "path", "correct the id in the path")
        } else {
            ("bad_query", "query", "correct the query parameter; /ops/v1/openapi.json names them all")
        };
        Problem::new(StatusCode::BAD_REQUEST, code, format!("the {what} cannot be read: {detail}"))
            .errors(vec![FieldError::new(field, detail)])
            .next(next)
    };
    let uri = format!("/?{query}").parse::<Uri>().map_err(|why| bad("query".to_owned(), why.to_string()))?;
    let Query(args) = Query::try_from_uri(&uri).map_err(|rejection| {
        let (field, detail) = place(&rejection);
        bad(if field == "body" { "query".to_owned() } else { field }, detail)
    })?;
    Ok(args)
}

impl<Q: Question> OperationInput for Asked<Q> {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        let schema = ctx.schema.subschema_for::<Q::Args>();
        let route = Q::route();
        for location in [ParamLocation::Path, ParamLocation::Query] {
            let is_path = matches!(location, ParamLocation::Path);
            let mut parameters = parameters_from_schema(ctx, schema.clone(), location);
            parameters.retain(|parameter| {
                let name = &parameter.parameter_data_ref().name;
                placeholders(&route).any(|placeholder| placeholder == name) == is_path
            });
            add_parameters(ctx, operation, parameters);
        }
    }
}
