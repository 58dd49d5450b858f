//! Who may use the operators' listener.
//!
//! Without tokens `local` is admin, and every request needs a loopback `Host` and no foreign `Origin`, so that neither a
//! web page nor a rebound name reads or posts. With tokens one is always required, on loopback too.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::config::Config;

/// What somebody may do; each role may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
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

/// Lets a request in, or says why not.
///
/// # Errors
/// [`Denied`].
pub fn admit(config: &Config, claims: Claims<'_>) -> Result<Caller, Denied> {
    if config.tokens.is_empty() {
        let host = claims.host.filter(|host| is_loopback(host)).ok_or(Denied::ForeignHost)?;
        let is_own = |origin: &str| origin.strip_prefix("http://").is_some_and(|from| from.eq_ignore_ascii_case(host));
        return match claims.origin {
            Some(origin) if !is_own(origin) => Err(Denied::ForeignOrigin),
            _ => Ok(Caller { name: "local".to_owned(), role: Role::Admin }),
        };
    }
    let token = claims
        .authorization
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .ok_or(Denied::NoToken)?;
    let presented: [u8; 32] = Sha256::digest(token).into();
    // Every token is compared, so that the time tells nothing about which were.
    let mut found = None;
    for known in &config.tokens {
        if hash_of(&known.sha256).is_some_and(|hash| is_equal(&hash, &presented)) {
            found = Some(known);
        }
    }
    found.map(|token| Caller { name: token.name.clone(), role: token.role }).ok_or(Denied::NoToken)
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

fn is_equal(left: &[u8; 32], right: &[u8; 32]) -> bool {
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
