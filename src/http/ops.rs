//! The operators' listener: mounts every question and action, the dashboard, `/metrics`, and in test builds the fault hook.

use std::sync::Arc;

use aide::axum::ApiRouter;
use aide::axum::routing::{get_with, post_with};
use aide::transform::TransformOperation;
use axum::extract::State;
use axum::http::{Method, StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::IntoResponse;
use axum::routing::{MethodRouter, get};
use axum::{Extension, Json, Router};
use serde::Serialize;
use serde_json::Value;

use super::error::{Failed, Problem, Refused};
use super::extract::Body;
use super::guard::{Guard, Needs, Roles, guard, has};
use super::live::{Live, stream_answers};
use super::ops_args::Asked as Args;
use super::session::{Door, login, logout, whoami};
use super::{Probe, assets, health, openapi};
use crate::ops::access::{Caller, Role};
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

const VIEWER: Needs = Needs::Role(Role::Viewer);

/// The operators' routes.
///
/// # Panics
/// If a route has no row in the table of roles.
pub fn ops_router(state: OpsState) -> Router {
    let mut roles = Roles::default();
    let (operations, document) = openapi::documented("ordo operations", "What operators may ask and do", || {
        let mut mount = Mount { router: ApiRouter::new(), roles: &mut roles };
        questions::each(&mut mount);
        actions::each(&mut mount);
        mount.router
    });
    let context = Arc::new(state.context);
    let operations = operations.with_state(context.clone());
    let door = Door::new(state.config, context);
    let live = Live::new(operations.clone());
    let mut rest = Mounted { router: Router::new(), roles: &mut roles };
    rest.get("/livez", VIEWER, get(health::livez).with_state(state.probe.clone()));
    rest.get("/readyz", VIEWER, get(health::readyz).with_state(state.probe));
    rest.get("/metrics", VIEWER, get(metrics));
    rest.get("/ops/v1/live", VIEWER, get(stream_answers).with_state(live));
    rest.get("/", Needs::Nobody, get(assets::home));
    rest.get("/dashboard", Needs::Nobody, get(assets::home));
    rest.get("/dashboard/", Needs::Nobody, get(assets::home));
    rest.get("/dashboard/{*screen}", Needs::Nobody, get(assets::page));
    rest.get("/dashboard/assets/app.js", Needs::Nobody, get(assets::script));
    rest.get("/dashboard/assets/style.css", Needs::Nobody, get(assets::style));
    let session = get(whoami).post(login).delete(logout).with_state(door.clone());
    rest.get("/ops/v1/session", VIEWER, session);
    rest.roles.add(&Method::POST, "/ops/v1/session", Needs::Nobody);
    rest.roles.add(&Method::DELETE, "/ops/v1/session", VIEWER);
    rest.roles.add(&Method::GET, "/ops/v1/openapi.json", VIEWER);
    let rest = rest.router;
    #[cfg(feature = "crash-points")]
    let rest = {
        roles.add(&Method::POST, "/ops/v1/faults", Needs::Role(Role::Admin));
        rest.merge(faults::route())
    };
    roles.check(&document);
    let router = operations.merge(rest).merge(openapi::route("/ops/v1/openapi.json", document));
    let guarded = Arc::new(Guard { door, roles });
    super::finished(router, &super::Config::default()).layer(from_fn_with_state(guarded, guard))
}

/// Mounts what the lists hold, each with its row in the table of roles.
struct Mount<'a> {
    router: ApiRouter<Asked>,
    roles: &'a mut Roles,
}

impl questions::Visitor for Mount<'_> {
    fn visit<Q: Question>(&mut self) {
        let route = get_with(answer::<Q>, |op| told(op.id(Q::NAME).summary(Q::ABOUT), Q::ROLE));
        self.roles.add(&Method::GET, &Q::route(), Needs::Role(Q::ROLE));
        self.router = std::mem::replace(&mut self.router, ApiRouter::new()).api_route(&Q::route(), route);
    }
}

impl actions::Visitor for Mount<'_> {
    fn visit<A: Action>(&mut self) {
        let route = post_with(act::<A>, |op| told(op.id(A::NAME).summary(A::ABOUT), A::ROLE));
        self.roles.add(&Method::POST, &route_of(A::NAME), Needs::Role(A::ROLE));
        self.router = std::mem::replace(&mut self.router, ApiRouter::new()).api_route(&route_of(A::NAME), route);
    }
}

/// Says in the document who may ask.
fn told(mut operation: TransformOperation<'_>, role: Role) -> TransformOperation<'_> {
    operation.inner_mut().extensions.insert("x-role".to_owned(), role.to_string().into());
    operation
}

/// Mounts what is neither question nor action, each with its row in the table of roles.
struct Mounted<'a> {
    router: Router,
    roles: &'a mut Roles,
}

impl Mounted<'_> {
    fn get(&mut self, route: &str, needs: Needs, answer: MethodRouter) {
        self.roles.add(&Method::GET, route, needs);
        self.router = std::mem::take(&mut self.router).route(route, answer);
    }
}

async fn answer<Q: Question>(
    State(context): State<Asked>,
    Extension(caller): Extension<Caller>,
    Args(args): Args<Q>,
) -> Result<Json<Q::Answer>, Failed> {
    has(&caller, Q::ROLE)?;
    no_nul(&args)?;
    let context = context.asked_by(caller);
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
    has(&caller, A::ROLE)?;
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

/// The fault hook of test builds.
#[cfg(feature = "crash-points")]
mod faults {
    use axum::routing::post;
    use serde::{Deserialize, Serialize};

    use super::{Caller, Extension, Failed, Json, Problem, Role, Router, StatusCode, has};
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
        has(&caller, Role::Admin)?;
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
