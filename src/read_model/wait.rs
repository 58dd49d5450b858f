//! Read your own writes: wait, within bounds, until a log-fed view has seen a position.

use std::time::Duration;

use sqlx::PgPool;
use tokio::time::{Instant, sleep_until};

use crate::contracts::{Position, PositionToken};
use crate::subscription::checkpoint;

/// First pause between two looks; doubled each time.
const FIRST_PAUSE: Duration = Duration::from_millis(2);
/// Longest pause between two looks.
const LONGEST_PAUSE: Duration = Duration::from_millis(25);

/// Whether a view has seen what was waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waited {
    /// It has.
    Reached,
    /// It has not, and is so many positions behind.
    Stale {
        /// Positions between the view and the token.
        behind: Position,
    },
}

/// Waits until the view fed by `subscription` is at `token` or beyond, at most `bound`. Works on every node, since it
/// asks the view's own checkpoint.
///
/// # Errors
/// What Postgres says.
pub async fn until(db: &PgPool, subscription: &str, token: PositionToken, bound: Duration) -> sqlx::Result<Waited> {
    let deadline = Instant::now() + bound;
    let mut pause = FIRST_PAUSE;
    loop {
        let position = checkpoint::position(db, subscription, checkpoint::LOG, token.partition).await?;
        let behind = token.position - position.unwrap_or(0);
        if behind <= 0 {
            return Ok(Waited::Reached);
        }
        if Instant::now() >= deadline {
            return Ok(Waited::Stale { behind });
        }
        sleep_until(deadline.min(Instant::now() + pause)).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
