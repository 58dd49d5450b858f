//! `/ops/v1/session`: who asks, and the login of a browser, which gets a cookie for its token.
//!
//! The cookie is `HttpOnly` and `SameSite=Strict`, and named by port, since browsers keep cookies by host alone: two
//! listeners of one machine would log each other out.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::error::{Failed, Problem};
use super::extract::Body;
use crate::ops::access::{self, Caller, Role};
use crate::ops::session::{Sessions, csrf};
use crate::ops::{Config, Context};

/// Wrong tokens one address may show within [`WINDOW`].
const TRIES: usize = 10;
const WINDOW: Duration = Duration::from_secs(60);
/// Addresses remembered for their wrong tokens.
const ADDRESSES: usize = 10_000;

/// What lets browsers in.
pub(super) struct Door {
    pub(super) config: Config,
    pub(super) sessions: Sessions,
    /// Name of the cookie.
    cookie: String,
    context: Arc<Context>,
    wrong: Mutex<HashMap<IpAddr, Vec<Instant>>>,
}

/// The session a request came with, if it came with one.
#[derive(Clone)]
pub(super) struct Held(Option<(Arc<Door>, String)>);

impl Held {
    /// None: a token came with the request, or none is needed.
    pub(super) fn none() -> Self {
        Self(None)
    }

    pub(super) fn of(door: Arc<Door>, secret: String) -> Self {
        Self(Some((door, secret)))
    }

    fn secret(&self) -> Option<&str> {
        self.0.as_ref().map(|(_, secret)| secret.as_str())
    }

    /// Whether it has not ended since. What cannot be asked now is held true: the next request is judged anew.
    pub(super) async fn holds(&self) -> bool {
        match &self.0 {
            None => true,
            Some((door, secret)) => !matches!(door.sessions.of(secret, &door.config).await, Ok(None)),
        }
    }
}

/// A login.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Login {
    /// The token itself; the configuration knows its hash.
    token: String,
}

/// Who asks, and where.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Session {
    /// The token's name, or `local`.
    name: String,
    /// What they may do.
    role: Role,
    /// To be sent as `X-Ordo-Csrf` with everything that is not read; none where no cookie is used.
    csrf: Option<String>,
    /// When the session ends.
    expires_at: Option<DateTime<Utc>>,
    /// The process that answers.
    node: String,
    /// What it was built from.
    build: String,
    /// What this system is called, as configured.
    environment: String,
}

impl Door {
    pub(super) fn new(config: Config, context: Arc<Context>) -> Arc<Self> {
        let port = context.node.address.rsplit(':').next().unwrap_or_default();
        Arc::new(Self {
            cookie: format!("ordo_session_{port}"),
            sessions: Sessions::new(context.db.clone()),
            config,
            context,
            wrong: Mutex::default(),
        })
    }

    /// The secret a request carries.
    pub(super) fn secret<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        cookies.flat_map(|value| value.split(';')).find_map(|pair| {
            let (name, value) = pair.trim().split_once('=')?;
            (name == self.cookie).then_some(value)
        })
    }

    fn told(&self, caller: Caller, secret: Option<&str>, expires_at: Option<DateTime<Utc>>) -> Session {
        Session {
            name: caller.name,
            role: caller.role,
            csrf: secret.map(csrf),
            expires_at,
            node: self.context.node.name.clone(),
            build: self.context.node.build.clone(),
            environment: self.config.environment.clone(),
        }
    }

    fn cookie(&self, secret: &str, keep: Duration) -> String {
        format!("{}={secret}; Path=/; HttpOnly; SameSite=Strict; Max-Age={}", self.cookie, keep.as_secs())
    }

    /// How long an address must wait that has shown too many wrong tokens.
    fn must_wait(&self, address: IpAddr) -> Option<Duration> {
        let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        let tries = wrong.get_mut(&address)?;
        tries.retain(|at| at.elapsed() < WINDOW);
        let first = *tries.first()?;
        (tries.len() >= TRIES).then(|| WINDOW.saturating_sub(first.elapsed()))
    }

    fn was_wrong(&self, address: IpAddr) {
        let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        if wrong.len() >= ADDRESSES {
            wrong.retain(|_, tries| tries.iter().any(|at| at.elapsed() < WINDOW));
        }
        if wrong.len() < ADDRESSES {
            wrong.entry(address).or_default().push(Instant::now());
        }
    }
}

/// Who asks.
pub(super) async fn whoami(
    State(door): State<Arc<Door>>,
    Extension(caller): Extension<Caller>,
    Extension(held): Extension<Held>,
) -> Result<Json<Session>, Failed> {
    let expires_at = match held.secret() {
        None => None,
        Some(secret) => door.sessions.of(secret, &door.config).await?.map(|session| session.expires_at),
    };
    Ok(Json(door.told(caller, held.secret(), expires_at)))
}

/// A token for a cookie.
pub(super) async fn login(
    State(door): State<Arc<Door>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Body(Login { token }): Body<Login>,
) -> Result<Response, Failed> {
    if door.config.tokens.is_empty() {
        let caller = Caller { name: "local".to_owned(), role: Role::Admin };
        return Ok(Json(door.told(caller, None, None)).into_response());
    }
    if let Some(pause) = door.must_wait(peer.ip()) {
        let detail = format!("{TRIES} wrong tokens came from this address within a minute");
        let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_tries", detail).retry_after(pause);
        return Err(Failed(problem.next(format!("wait {} s", pause.as_secs() + 1))));
    }
    let Some(token) = access::known(&door.config, &token) else {
        door.was_wrong(peer.ip());
        tracing::warn!(address = %peer.ip(), "a wrong token was shown at the operators' login");
        let problem = Problem::new(StatusCode::UNAUTHORIZED, "wrong_token", "no configured token is this one");
        return Err(Failed(problem.next("use a token whose hash is in [[ops.tokens]] of this process")));
    };
    let keep = door.config.session;
    let (secret, expires_at) = door.sessions.open(token, keep).await?;
    tracing::info!(by = token.name, "an operator has logged in");
    let caller = Caller { name: token.name.clone(), role: token.role };
    let session = door.told(caller, Some(&secret), Some(expires_at));
    Ok(([(header::SET_COOKIE, door.cookie(&secret, keep))], Json(session)).into_response())
}

/// Ends the session everywhere.
pub(super) async fn logout(
    State(door): State<Arc<Door>>,
    Extension(held): Extension<Held>,
) -> Result<Response, Failed> {
    if let Some(secret) = held.secret() {
        door.sessions.end(secret).await?;
    }
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, door.cookie("", Duration::ZERO))]).into_response())
}
