//! Who may use which route of the operators' listener: one table, and the layer that asks it first.

use std::collections::BTreeMap;
use std::sync::Arc;

use aide::openapi::OpenApi;
use axum::extract::{MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::error::{Failed, Problem, Refused};
use super::session::{Door, Held};
use crate::ops::access::{self, Admitted, Caller, Claims, Denied, Role};
use crate::ops::session::is_csrf;

/// Header that proves that a page of ours asks.
const CSRF: &str = "x-ordo-csrf";

/// What a route asks of whoever uses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Needs {
    /// Nothing: the page itself, and the login.
    Nobody,
    /// This role or a higher one.
    Role(Role),
}

/// Route and method → role. What is not in it is not let in.
#[derive(Clone, Debug, Default)]
pub(super) struct Roles(BTreeMap<(String, String), Needs>);

impl Roles {
    pub(super) fn add(&mut self, method: &Method, route: &str, needs: Needs) {
        let before = self.0.insert((route.to_owned(), method.to_string()), needs);
        assert!(before.is_none(), "{method} {route} is in the table of roles twice");
    }

    fn of(&self, method: &Method, route: &str) -> Option<Needs> {
        // HEAD asks what GET asks.
        let method = if *method == Method::HEAD { &Method::GET } else { method };
        self.0.get(&(route.to_owned(), method.to_string())).copied()
    }

    /// That a route has no such method, and which it has.
    fn no_such_method(&self, route: &str) -> Failed {
        let methods = self.0.keys().filter(|(known, _)| known == route).map(|(_, method)| method.as_str());
        let allowed = methods.collect::<Vec<_>>().join(", ");
        let next = if allowed.is_empty() {
            "/ops/v1/openapi.json names every path".to_owned()
        } else {
            format!("it has {allowed}")
        };
        let detail = "this path has no such method";
        Failed(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail).next(next))
    }

    /// Holds the table against the document of the routes, so that a route without a row is an error at start.
    ///
    /// # Panics
    /// If a documented route is missing.
    pub(super) fn check(&self, document: &OpenApi) {
        let document = serde_json::to_value(document).expect("a document is JSON");
        for (route, methods) in document["paths"].as_object().into_iter().flatten() {
            for method in methods.as_object().into_iter().flat_map(|methods| methods.keys()) {
                let method = method.to_uppercase();
                if ["GET", "POST", "DELETE", "PUT", "PATCH"].contains(&method.as_str()) {
                    let is_known = self.0.contains_key(&(route.clone(), method.clone()));
                    assert!(is_known, "{method} {route} has no row in the table of roles");
                }
            }
        }
    }
}

/// What the layer needs.
pub(super) struct Guard {
    pub(super) door: Arc<Door>,
    pub(super) roles: Roles,
}

/// Every request, reads too, passes here first.
pub(super) async fn guard(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    let (mut head, body) = request.into_parts();
    match admit(&guard, &head).await {
        Ok((caller, held)) => {
            // The page and the login have nobody to tell.
            if let Some(caller) = caller {
                head.extensions.insert(caller);
            }
            head.extensions.insert(held);
            next.run(Request::from_parts(head, body)).await
        }
        Err(refused) => refused.into_response(),
    }
}

async fn admit(guard: &Guard, head: &Parts) -> Result<(Option<Caller>, Held), Failed> {
    let (door, headers) = (&guard.door, &head.headers);
    let claims = Claims {
        host: single(headers, &header::HOST)
            .filter(|host| head.uri.authority().is_none_or(|uri| uri.as_str() == *host)),
        // Two origins, or one that is no text, are as foreign as any.
        origin: headers.contains_key(header::ORIGIN).then(|| single(headers, &header::ORIGIN).unwrap_or("null")),
        authorization: single(headers, &header::AUTHORIZATION),
        session: door.secret(headers),
    };
    let route = head.extensions.get::<MatchedPath>().map(MatchedPath::as_str);
    let needs = route.and_then(|route| guard.roles.of(&head.method, route));
    if needs == Some(Needs::Nobody) {
        access::may_ask(&door.config, claims).map_err(refusal)?;
        return Ok((None, Held::none()));
    }
    // A path nobody knows, or a method it does not have, is told so to whoever may look.
    let role = if let Some(Needs::Role(role)) = needs { role } else { Role::Viewer };
    let (caller, held) = match access::admit(&door.config, claims).map_err(refusal)? {
        Admitted::As(caller) => (caller, Held::none()),
        Admitted::BySession(secret) => {
            let session = door.sessions.of(secret, &door.config).await?.ok_or_else(|| refusal(Denied::NoSession))?;
            let is_read = matches!(head.method, Method::GET | Method::HEAD);
            if !is_read && !single(headers, &HeaderName::from_static(CSRF)).is_some_and(|sent| is_csrf(secret, sent)) {
                return Err(refusal(Denied::NoCsrf));
            }
            (session.caller, Held::of(door.clone(), secret.to_owned()))
        }
    };
    has(&caller, role)?;
    match route {
        // Even a handler that somebody has mounted past the table is not reached.
        Some(route) if needs.is_none() => Err(guard.roles.no_such_method(route)),
        _ => Ok((Some(caller), held)),
    }
}

/// Whether a caller has a role.
///
/// # Errors
/// `403`, with what it needs.
pub(super) fn has(caller: &Caller, role: Role) -> Result<(), Refused> {
    if caller.role >= role {
        return Ok(());
    }
    let detail = format!("{} is {}, and this needs {role}", caller.name, caller.role);
    Err(Problem::new(StatusCode::FORBIDDEN, "role_too_low", detail).next("use a token with that role"))
}

fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

fn refusal(denied: Denied) -> Failed {
    let (status, code, next) = match denied {
        Denied::ForeignHost => (StatusCode::FORBIDDEN, "foreign_host", "ask on 127.0.0.1, or configure [[ops.tokens]]"),
        Denied::ForeignOrigin => {
            (StatusCode::FORBIDDEN, "foreign_origin", "ask from a terminal or from this listener's own pages")
        }
        Denied::NoToken => {
            (StatusCode::UNAUTHORIZED, "no_token", "set ORDO_TOKEN for the command line, or log in at /dashboard/")
        }
        Denied::NoSession => (StatusCode::UNAUTHORIZED, "no_session", "log in again at /dashboard/; nothing was done"),
        Denied::NoCsrf => (StatusCode::FORBIDDEN, "no_csrf", "reload the page and do it again; nothing was done"),
    };
    Failed(Problem::new(status, code, denied.to_string()).next(next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_may_do_what_those_below_it_may() {
        let operator = Caller { name: "ci".to_owned(), role: Role::Operator };
        assert!(has(&operator, Role::Viewer).is_ok() && has(&operator, Role::Operator).is_ok());
        assert_eq!(has(&operator, Role::Admin).map_err(|problem| problem.status()), Err(StatusCode::FORBIDDEN));
    }

    #[test]
    fn a_header_given_twice_is_none() {
        let mut headers = HeaderMap::new();
        headers.append(header::HOST, "localhost".parse().expect("a header"));
        assert_eq!(single(&headers, &header::HOST), Some("localhost"));
        headers.append(header::HOST, "evil.example".parse().expect("a header"));
        assert_eq!(single(&headers, &header::HOST), None);
    }

    #[test]
    fn what_is_not_in_the_table_is_not_let_in() {
        let mut roles = Roles::default();
        roles.add(&Method::GET, "/ops/v1/nodes", Needs::Role(Role::Viewer));
        assert_eq!(roles.of(&Method::HEAD, "/ops/v1/nodes"), Some(Needs::Role(Role::Viewer)));
        assert_eq!(roles.of(&Method::POST, "/ops/v1/nodes"), None);
        assert_eq!(roles.of(&Method::GET, "/ops/v1/new"), None);
    }

    #[test]
    #[should_panic(expected = "GET /ops/v1/new has no row")]
    fn a_route_without_a_row_does_not_start() {
        let mut document = OpenApi::default();
        let paths = serde_json::json!({ "/ops/v1/new": { "get": {} } });
        document.paths = Some(serde_json::from_value(paths).expect("paths"));
        Roles::default().check(&document);
    }
}
