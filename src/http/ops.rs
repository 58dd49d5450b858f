//! The operators' listener: mounts every question, `/metrics`, and in test builds the fault hook.

use std::sync::Arc;

use aide::axum::ApiRouter;
use aide::axum::routing::{get_with, post_with};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Json, Router};

use serde::Serialize;
use serde_json::Value;

use super::error::{Failed, Problem, Refused};
use super::extract::Body;
use super::ops_args::Asked as Args;
use super::{Probe, health, openapi};
use crate::ops::access::{self, Caller, Claims, Denied, Role};
use crate::ops::action::{self, Action};
use crate::ops::plan::{self, Done, Wanted};
use crate::ops::{Config, Context, Question, Unanswered, actions, questions, route_of};
use crate::telemetry::exporter;

/// Content type of the Prometheus text format.
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What the operators' listener needs.
#[derive(Clone)]
pub struct OpsState {
    /// What questions may look at.
    pub context: Context,
    /// How the dependencies are.
    pub probe: Probe,
    /// Who may come in.
    pub config: Config,
}

type Asked = Arc<Context>;

/// The operators' routes.
pub fn ops_router(state: OpsState) -> Router {
    let (operations, document) = openapi::documented("ordo operations", "What operators may ask and do", || {
        let mut mount = Mount(ApiRouter::new());
        questions::each(&mut mount);
        actions::each(&mut mount);
        mount.0
    });
    let health =
        Router::new().route("/livez", get(health::livez)).route("/readyz", get(health::readyz)).with_state(state.probe);
    let router = operations
        .with_state(Arc::new(state.context))
        .merge(health)
        .merge(openapi::route("/ops/v1/openapi.json", document))
        .route("/metrics", get(metrics));
    #[cfg(feature = "crash-points")]
    let router = router.merge(faults::route());
    super::finished(router, &super::Config::default()).layer(from_fn_with_state(Arc::new(state.config), guard))
}

struct Mount(ApiRouter<Asked>);

impl questions::Visitor for Mount {
    fn visit<Q: Question>(&mut self) {
        let route = get_with(answer::<Q>, |op| op.id(Q::NAME).summary(Q::ABOUT));
        self.0 = std::mem::replace(&mut self.0, ApiRouter::new()).api_route(&Q::route(), route);
    }
}

impl actions::Visitor for Mount {
    fn visit<A: Action>(&mut self) {
        let route = post_with(act::<A>, |op| op.id(A::NAME).summary(A::ABOUT));
        self.0 = std::mem::replace(&mut self.0, ApiRouter::new()).api_route(&route_of(A::NAME), route);
    }
}

async fn answer<Q: Question>(
    State(context): State<Asked>,
    Extension(caller): Extension<Caller>,
    Args(args): Args<Q>,
) -> Result<Json<Q::Answer>, Failed> {
    needs(&caller, Q::ROLE)?;
    no_nul(&args)?;
    match Q::ask(args, &context).await {
        Ok(answer) => Ok(Json(answer)),
        Err(Unanswered::NotFound(detail)) => Err(Failed(not_found(detail))),
        Err(Unanswered::Invalid(detail)) => {
            let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_argument", detail);
            Err(Failed(problem.next("correct it and ask again")))
        }
        Err(Unanswered::Postgres(error)) => Err(error.into()),
    }
}

async fn act<A: Action>(
    State(context): State<Asked>,
    Extension(caller): Extension<Caller>,
    Body(wanted): Body<Wanted<A::Args>>,
) -> Result<Json<Done<A::Plan, A::Outcome>>, Failed> {
    needs(&caller, A::ROLE)?;
    no_nul(&wanted.args)?;
    let done = match A::is_open(&context) {
        Ok(()) => plan::run::<A>(wanted, &caller, (&context.node.name, &context.models), &context.db).await,
        Err(refused) => Err(refused),
    };
    match done {
        Ok(done) => Ok(Json(done)),
        Err(action::Refused::Postgres(error)) => Err(error.into()),
        Err(refused) => Err(Failed(not_done(&refused))),
    }
}

/// Postgres keeps no text with a NUL in it, and nothing here is called by one.
fn no_nul(args: &impl Serialize) -> Result<(), Failed> {
    fn has_nul(value: &Value) -> bool {
        match value {
            Value::String(text) => text.contains('\0'),
            Value::Array(values) => values.iter().any(has_nul),
            Value::Object(fields) => fields.iter().any(|(name, value)| name.contains('\0') || has_nul(value)),
            _ => false,
        }
    }
    if serde_json::to_value(args).is_ok_and(|args| !has_nul(&args)) {
        return Ok(());
    }
    let detail = "an argument holds the character NUL";
    let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_argument", detail);
    Err(Failed(problem.next("leave it out and ask again")))
}

fn not_done(refused: &action::Refused) -> Refused {
    let detail = refused.to_string();
    match refused {
        action::Refused::NotFound(_) => not_found(detail),
        action::Refused::NotNow(_) => Problem::new(StatusCode::CONFLICT, "not_now", detail)
            .next("look again: it has changed, or must change first; nothing was done"),
        action::Refused::Invalid(_) => Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_argument", detail)
            .next("correct it and send it again; nothing was done"),
        action::Refused::Postgres(_) => super::error::internal(refused),
    }
}

fn not_found(detail: String) -> Refused {
    Problem::not_found("not_found", detail).next("look at what there is and name it")
}

async fn metrics() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, PROMETHEUS)], exporter::render())
}

fn needs(caller: &Caller, role: Role) -> Result<(), Refused> {
    if caller.role >= role {
        return Ok(());
    }
    let detail = format!("{} is {}, and this needs {role}", caller.name, caller.role);
    Err(Problem::new(StatusCode::FORBIDDEN, "role_too_low", detail).next("use a token with that role"))
}

/// Every request, reads too, passes here first.
async fn guard(State(config): State<Arc<Config>>, mut request: Request, next: Next) -> Response {
    let headers = request.headers();
    let claims = Claims {
        host: single(headers, &header::HOST)
            .filter(|host| request.uri().authority().is_none_or(|uri| uri.as_str() == *host)),
        // Two origins, or one that is no text, are as foreign as any.
        origin: headers.contains_key(header::ORIGIN).then(|| single(headers, &header::ORIGIN).unwrap_or("null")),
        authorization: single(headers, &header::AUTHORIZATION),
    };
    match access::admit(&config, claims) {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(denied) => refusal(denied).into_response(),
    }
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
        Denied::NoToken => (StatusCode::UNAUTHORIZED, "no_token", "set ORDO_TOKEN for the command line"),
    };
    Failed(Problem::new(status, code, denied.to_string()).next(next))
}

/// The fault hook of test builds.
#[cfg(feature = "crash-points")]
mod faults {
    use axum::routing::post;
    use serde::{Deserialize, Serialize};

    use super::{Caller, Extension, Failed, Json, Problem, Role, Router, StatusCode, needs};
    use crate::faults::{HandlerFault, crash_actors, fail_events};
    use crate::http::extract::Body;

    /// What to break.
    #[derive(Clone, Debug, Deserialize)]
    #[serde(untagged, deny_unknown_fields)]
    enum Wanted {
        /// The next `times` messages of one kind of actor crash it.
        Actors { kind: String, times: u32 },
        /// A subscription's handler fails for events that hold a text; for none without a fault.
        Events { subscription: String, text: Option<String>, fault: Option<HandlerFault> },
    }

    #[derive(Clone, Debug, Serialize)]
    struct Armed {
        armed: bool,
    }

    pub(super) fn route() -> Router {
        Router::new().route("/ops/v1/faults", post(arm))
    }

    async fn arm(Extension(caller): Extension<Caller>, Body(wanted): Body<Wanted>) -> Result<Json<Armed>, Failed> {
        needs(&caller, Role::Admin)?;
        tracing::warn!(by = caller.name, ?wanted, "a fault is armed");
        let armed = match wanted {
            Wanted::Actors { kind, times } => {
                crash_actors(&kind, times).map_err(|why| {
                    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "unknown_kind", why).next("name one of these kinds")
                })?;
                times > 0
            }
            Wanted::Events { subscription, text, fault } => {
                let fault = fault.map(|fault| (text.unwrap_or_default(), fault));
                let armed = fault.is_some();
                fail_events(&subscription, fault);
                armed
            }
        };
        Ok(Json(Armed { armed }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_may_do_what_those_below_it_may() {
        let operator = Caller { name: "ci".to_owned(), role: Role::Operator };
        assert!(needs(&operator, Role::Viewer).is_ok() && needs(&operator, Role::Operator).is_ok());
        assert_eq!(needs(&operator, Role::Admin).map_err(|problem| problem.status()), Err(StatusCode::FORBIDDEN));
    }

    #[test]
    fn a_header_given_twice_is_none() {
        let mut headers = HeaderMap::new();
        headers.append(header::HOST, "localhost".parse().expect("a header"));
        assert_eq!(single(&headers, &header::HOST), Some("localhost"));
        headers.append(header::HOST, "evil.example".parse().expect("a header"));
        assert_eq!(single(&headers, &header::HOST), None);
    }
}
