//! `[ops]`.

use std::net::SocketAddr;
use std::time::Duration;

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
    /// How long a login at the dashboard holds: 1 minute to 30 days.
    #[serde(with = "humantime_serde")]
    pub session: Duration,
    /// What the dashboard's bar calls this system: `development`, `demo`, `production` …; production looks like a warning.
    pub environment: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8081)),
            tokens: Vec::new(),
            session: Duration::from_secs(12 * 3_600),
            environment: "development".to_owned(),
        }
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
