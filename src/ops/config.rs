//! `[ops]`.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::access::Role;

/// `[ops]`: the operators' listener, apart from REST. `ORDO_OPS__LISTEN=127.0.0.1:9081` overrides a key.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Address and port. Anything but a loopback address needs `tokens`.
    pub listen: SocketAddr,
    /// Who may come in. Without any, whoever reaches a loopback address is `local`, an admin.
    pub tokens: Vec<Token>,
}

impl Default for Config {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 8081)), tokens: Vec::new() }
    }
}

/// `[[ops.tokens]]`: one bearer token, by its hash, so that the configuration holds no secret.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// Whose: what the audit will say.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// SHA-256 of the token, 64 hexadecimal digits: `printf %s "$TOKEN" | sha256sum`.
    pub sha256: String,
}
