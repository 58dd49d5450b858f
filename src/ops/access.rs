//! Who may use the operators' listener.
//!
//! Without tokens `local` is admin, and every request needs a loopback `Host` and no foreign `Origin`, so that neither a
//! web page nor a rebound name reads or posts. With tokens one is always required, on loopback too.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::config::{Config, Token};
use crate::config::range;

/// What somebody may do; each role may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Look.
    Viewer,
    /// Look and act.
    Operator,
    /// Everything.
    Admin,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        })
    }
}

/// Who is asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The token's name, or `local`.
    pub name: String,
    /// What they may do.
    pub role: Role,
}

/// Why somebody is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// The name asked for is not this machine's own.
    #[error("without tokens this listener answers only to a loopback name, such as 127.0.0.1 or localhost")]
    ForeignHost,
    /// A page of another origin asks.
    #[error("a page of another origin may not ask here")]
    ForeignOrigin,
    /// No token, or an unknown one.
    #[error("this listener needs a token: send `Authorization: Bearer <token>`")]
    NoToken,
    /// The session is over, was ended, or never was.
    #[error("the session is over")]
    NoSession,
    /// An action without what belongs to its session.
    #[error("the page did not send what belongs to its session")]
    NoCsrf,
}

/// What a request says of itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Claims<'a> {
    /// `Host`, if there is exactly one.
    pub host: Option<&'a str>,
    /// `Origin`.
    pub origin: Option<&'a str>,
    /// `Authorization`.
    pub authorization: Option<&'a str>,
    /// The cookie of this listener.
    pub session: Option<&'a str>,
}

/// How somebody is let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admitted<'a> {
    /// It is known who asks.
    As(Caller),
    /// Whoever the session of this secret belongs to, if there is one.
    BySession(&'a str),
}

/// Whether the listener may start with this configuration.
///
/// # Errors
/// In one line: what is wrong and what to do.
pub fn check(config: &Config) -> Result<(), String> {
    if config.tokens.is_empty() && !config.listen.ip().is_loopback() {
        return Err(format!(
            "ops.listen = {} can be reached from outside, but there are no tokens; add [[ops.tokens]] with name, role \
             and sha256, or listen on 127.0.0.1",
            config.listen
        ));
    }
    range::time("ops.session", config.session, Duration::from_secs(60)..=Duration::from_secs(30 * 86_400))?;
    for token in &config.tokens {
        if token.name.is_empty() || hash_of(&token.sha256).is_none() {
            return Err(format!(
                "ops.tokens: the token {:?} needs a name and a sha256 of 64 hexadecimal digits; make one with \
                 `printf %s \"$TOKEN\" | sha256sum`",
                token.name
            ));
        }
    }
    Ok(())
}

/// Whether a request may ask at all, whoever sends it. Without tokens that is all there is to keep foreign pages and
/// rebound names out, so it holds for the login page, too.
///
/// # Errors
/// [`Denied::ForeignHost`], [`Denied::ForeignOrigin`].
pub fn may_ask(config: &Config, claims: Claims<'_>) -> Result<(), Denied> {
    let host = claims.host.filter(|host| !config.tokens.is_empty() || is_loopback(host));
    if config.tokens.is_empty() && host.is_none() {
        return Err(Denied::ForeignHost);
    }
    // Behind a proxy that speaks TLS a page's origin is https.
    let is_own = |origin: &str| {
        let from = origin
            .strip_prefix("http://")
            .or_else(|| origin.strip_prefix("https://").filter(|_| !config.tokens.is_empty()));
        from.zip(host).is_some_and(|(from, host)| from.eq_ignore_ascii_case(host))
    };
    // A bearer token is sent by no page that was not given it; a cookie goes along by itself.
    let is_page = config.tokens.is_empty() || claims.authorization.is_none();
    match claims.origin {
        Some(origin) if is_page && !is_own(origin) => Err(Denied::ForeignOrigin),
        _ => Ok(()),
    }
}

/// Lets a request in, or says why not.
///
/// # Errors
/// [`Denied`].
pub fn admit<'a>(config: &Config, claims: Claims<'a>) -> Result<Admitted<'a>, Denied> {
    may_ask(config, claims)?;
    if config.tokens.is_empty() {
        return Ok(Admitted::As(Caller { name: "local".to_owned(), role: Role::Admin }));
    }
    match (claims.authorization, claims.session) {
        (Some(authorization), _) => {
            let token = bearer(authorization).and_then(|token| known(config, token)).ok_or(Denied::NoToken)?;
            Ok(Admitted::As(Caller { name: token.name.clone(), role: token.role }))
        }
        (None, Some(secret)) => Ok(Admitted::BySession(secret)),
        (None, None) => Err(Denied::NoToken),
    }
}

fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The configured token that this is.
#[must_use]
pub fn known<'a>(config: &'a Config, token: &str) -> Option<&'a Token> {
    let presented: [u8; 32] = Sha256::digest(token).into();
    // Every token is compared, so that the time tells nothing about which were.
    let mut found = None;
    for known in &config.tokens {
        if hash_of(&known.sha256).is_some_and(|hash| is_equal(&hash, &presented)) {
            found = Some(known);
        }
    }
    found
}

fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(v6) => return v6.split_once(']').is_some_and(|(address, port)| address == "::1" && is_port(port)),
        None => host.split_once(':').map_or(host, |(name, _)| name),
    };
    is_port(&host[name.len()..])
        && (name.eq_ignore_ascii_case("localhost")
            || name.parse::<Ipv4Addr>().is_ok_and(|address| IpAddr::V4(address).is_loopback()))
}

fn is_port(rest: &str) -> bool {
    rest.is_empty() || rest.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok())
}

pub(super) fn is_equal(left: &[u8; 32], right: &[u8; 32]) -> bool {
    let difference = left.iter().zip(right).fold(0_u8, |difference, (left, right)| difference | (left ^ right));
    std::hint::black_box(difference) == 0
}

fn hash_of(hex: &str) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    if hex.len() != 64 || !hex.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    for (byte, digits) in hash.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(hash)
}

#[cfg(test)]
mod tests;
