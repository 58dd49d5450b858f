//! Waiting for a condition, with a name and a deadline.

use std::time::{Duration, Instant};

/// Longest wait: generous, since the machine may be busy; no test waits longer than the condition takes.
const DEADLINE: Duration = Duration::from_secs(45);

/// Asks until there is an answer; panics with `what` at the deadline.
pub async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(began.elapsed() < DEADLINE, "waited {DEADLINE:?} in vain until {what}");
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
}
