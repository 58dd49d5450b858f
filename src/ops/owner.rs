//! Who works a partition: the process that claimed it last, as far as it lives.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use super::Context;
use crate::supervision::node::{self, Life, Seen};

/// Who works a partition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Owner {
    /// Name of the process that claimed it last and has not given it back, if that is known.
    pub node: Option<String>,
    /// Whether that process lives, and so works it.
    pub is_alive: bool,
    /// Its last sign of life, if it does not.
    pub silent_since: Option<DateTime<Utc>>,
}

/// Every process heard of within a day.
#[derive(Debug)]
pub(super) struct Owners(Vec<Seen>);

impl Owners {
    /// Asks which processes there are.
    ///
    /// # Errors
    /// What Postgres says.
    pub(super) async fn seen(context: &Context) -> sqlx::Result<Self> {
        node::list(context.silent_after, &context.db).await.map(Self)
    }

    /// Whether a living process has a role.
    pub(super) fn have(&self, role: &str) -> bool {
        self.0.iter().any(|seen| seen.life == Life::Alive && seen.roles.iter().any(|known| known == role))
    }

    /// What is known of whoever claimed a partition last.
    pub(super) fn of(&self, owner: Option<Uuid>) -> Owner {
        let Some(seen) = owner.and_then(|owner| self.0.iter().find(|seen| seen.node_id == owner)) else {
            return Owner::default();
        };
        let is_alive = seen.life == Life::Alive;
        let silent_since = (!is_alive).then_some(seen.heartbeat_at);
        Owner { node: Some(seen.name.clone()), is_alive, silent_since }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    fn seen(name: &str, life: Life) -> Seen {
        Seen {
            node_id: clock::new_id(),
            name: name.to_owned(),
            life,
            roles: vec!["relay".to_owned()],
            build: String::new(),
            address: String::new(),
            started_at: clock::now(),
            heartbeat_at: clock::now(),
            silent_seconds: 0.0,
            clock_ahead_ms: 0,
        }
    }

    #[test]
    fn only_a_process_that_lives_owns_a_partition() {
        let nodes =
            [("a", Life::Alive), ("b", Life::Unknown), ("c", Life::Stopped)].map(|(name, life)| seen(name, life));
        let owners = Owners(nodes.to_vec());
        for (node, is_alive) in nodes.iter().zip([true, false, false]) {
            let owner = owners.of(Some(node.node_id));
            assert_eq!((owner.node, owner.is_alive), (Some(node.name.clone()), is_alive));
            assert_eq!(owner.silent_since.is_some(), !is_alive);
        }
        assert_eq!(owners.of(Some(clock::new_id())), Owner::default(), "one that was forgotten");
        assert_eq!(owners.of(None), Owner::default());
        assert!(owners.have("relay") && !owners.have("orders"));
        assert!(!Owners(nodes[1..].to_vec()).have("relay"), "whoever is silent has no role");
    }
}
