//! One question that somebody looks at: asked once for all who look, as often as they need it and no oftener than it is
//! worth.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::time::timeout;
use tower::ServiceExt;

use super::patch::{Change, between};
use crate::ops::access::Caller;

/// Pause between two looks at the same thing.
const PAUSE: Duration = Duration::from_secs(1);
/// A question that takes long is asked less often: this many times as long as it took is between two looks, but no more
/// than [`LONGEST`].
const REST: u32 = 10;
const LONGEST: Duration = Duration::from_secs(5);
/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Largest answer, in bytes.
const LARGEST: usize = 8 << 20;

/// A question and whoever may ask it.
#[derive(Debug)]
pub(super) struct Channel {
    question: String,
    caller: Caller,
    seen: Mutex<Seen>,
}

/// What was seen last.
#[derive(Debug, Default)]
struct Seen {
    /// Counts the answers that differed.
    version: u64,
    value: Option<Arc<Value>>,
    changes: Arc<[Change]>,
    problem: Option<Arc<Value>>,
    asked_at: Option<Instant>,
    took: Duration,
}

/// Which answer it is, and how long ago it was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) version: u64,
    pub(super) age_ms: u64,
}

/// What a viewer who knows some version is told.
#[derive(Clone, Debug)]
pub(super) enum News {
    /// Everything.
    Snapshot(Look, Arc<Value>),
    /// What has changed since the version before this one.
    Patch(Look, Arc<[Change]>),
    /// Nothing has changed up to then.
    Same(Look),
    /// It could not be asked.
    Problem(Arc<Value>),
}

impl Channel {
    pub(super) fn new(question: String, caller: Caller) -> Self {
        Self { question, caller, seen: Mutex::default() }
    }

    /// What is new for a viewer who knows `version`. Whoever comes first after the pause asks for all; the others wait for
    /// that answer. So nobody asks for nobody.
    pub(super) async fn news(&self, version: u64, questions: &Router) -> News {
        let mut seen = self.seen.lock().await;
        let pause = (seen.took * REST).clamp(PAUSE, LONGEST);
        // A little early, so that viewers who come every second do not miss it by a hair.
        if seen.asked_at.is_none_or(|at| at.elapsed() + Duration::from_millis(100) >= pause) {
            let began = Instant::now();
            let answer = ask(&self.question, &self.caller, questions).await;
            seen.take_in(answer);
            (seen.took, seen.asked_at) = (began.elapsed(), Some(Instant::now()));
        }
        seen.news(version)
    }
}

impl Seen {
    fn take_in(&mut self, answer: Result<Value, Value>) {
        match answer {
            Ok(value) => {
                self.problem = None;
                if self.value.as_deref() == Some(&value) {
                    return;
                }
                self.changes = self.value.as_ref().map_or_else(Vec::new, |old| between(old, &value)).into();
                self.value = Some(Arc::new(value));
                self.version += 1;
            }
            Err(problem) => self.problem = Some(Arc::new(problem)),
        }
    }

    fn news(&self, version: u64) -> News {
        let age = self.asked_at.map_or(Duration::ZERO, |at| at.elapsed());
        let look = Look { version: self.version, age_ms: u64::try_from(age.as_millis()).unwrap_or(u64::MAX) };
        match (&self.problem, &self.value) {
            (Some(problem), _) => News::Problem(problem.clone()),
            (None, Some(_)) if version == self.version => News::Same(look),
            (None, Some(_)) if version > 0 && version + 1 == self.version => News::Patch(look, self.changes.clone()),
            (None, Some(value)) => News::Snapshot(look, value.clone()),
            (None, None) => News::Problem(Arc::new(json!({ "status": 503, "code": "not_asked" }))),
        }
    }
}

/// Asks as the caller would: the same routes, roles and refusals.
async fn ask(question: &str, caller: &Caller, questions: &Router) -> Result<Value, Value> {
    let request = Request::get(format!("/ops/v1/{question}")).extension(caller.clone()).body(Body::empty());
    let request = request.map_err(|error| problem(400, "bad_question", &error.to_string()))?;
    let answer = async {
        let response = questions.clone().oneshot(request).await.unwrap_or_else(|never| match never {});
        let status = response.status();
        let body = to_bytes(response.into_body(), LARGEST).await;
        (status, body)
    };
    let Ok((status, body)) = timeout(PATIENCE, answer).await else {
        return Err(problem(503, "too_slow", "the answer took too long; it is asked again"));
    };
    let body = body.map_err(|error| problem(500, "too_large", &error.to_string()))?;
    let value = serde_json::from_slice(&body);
    match value {
        Ok(value) if status.is_success() => Ok(value),
        Ok(value) => Err(value),
        Err(_) => Err(problem(status.as_u16(), "no_answer", "there is no such question")),
    }
}

fn problem(status: u16, code: &str, detail: &str) -> Value {
    json!({ "status": status, "code": code, "detail": detail })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::Json;
    use axum::routing::get;
    use futures::future::join_all;

    use super::*;
    use crate::ops::access::Role;

    #[tokio::test]
    async fn however_many_look_it_is_asked_once_and_all_are_told_how_old_that_is() {
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = asked.clone();
        let answer = get(move || async move { Json(counted.fetch_add(1, Ordering::SeqCst)) });
        let questions = Router::new().route("/ops/v1/number", answer);
        let caller = Caller { name: "ada".to_owned(), role: Role::Viewer };
        let channel = Channel::new("number".to_owned(), caller);
        let first = join_all((0..100).map(|_| channel.news(0, &questions))).await;
        assert!(first.iter().all(|news| matches!(news, News::Snapshot(Look { version: 1, .. }, _))), "{first:?}");
        let again = join_all((0..100).map(|_| channel.news(1, &questions))).await;
        assert!(again.iter().all(|news| matches!(news, News::Same(Look { version: 1, .. }))), "{again:?}");
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        channel.seen.lock().await.asked_at = Instant::now().checked_sub(Duration::from_millis(700));
        assert!(matches!(channel.news(1, &questions).await, News::Same(Look { age_ms: 700.., .. })), "not yet time");
        channel.seen.lock().await.asked_at = Instant::now().checked_sub(PAUSE);
        assert!(matches!(channel.news(1, &questions).await, News::Patch(Look { version: 2, .. }, _)), "time to ask");
        assert_eq!(asked.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn a_viewer_gets_the_change_from_what_it_knows_or_everything() {
        let mut seen = Seen::default();
        assert!(matches!(seen.news(0), News::Problem(_)), "nothing was asked yet");
        seen.take_in(Ok(json!({ "a": 1 })));
        assert!(matches!(seen.news(0), News::Snapshot(Look { version: 1, .. }, _)));
        assert!(matches!(seen.news(1), News::Same(Look { version: 1, .. })));
        seen.take_in(Ok(json!({ "a": 1 })));
        assert!(matches!(seen.news(1), News::Same(Look { version: 1, .. })), "the same answer is no version");
        seen.take_in(Ok(json!({ "a": 2 })));
        assert!(matches!(seen.news(1), News::Patch(Look { version: 2, .. }, changes) if changes.len() == 1));
        seen.take_in(Ok(json!({ "a": 3 })));
        assert!(
            matches!(seen.news(1), News::Snapshot(Look { version: 3, .. }, _)),
            "a viewer who fell behind gets everything"
        );
    }

    #[test]
    fn a_question_that_cannot_be_asked_keeps_what_was_known() {
        let mut seen = Seen::default();
        seen.take_in(Ok(json!({ "a": 1 })));
        seen.take_in(Err(problem(503, "postgres_down", "")));
        assert!(matches!(seen.news(1), News::Problem(_)));
        seen.take_in(Ok(json!({ "a": 1 })));
        assert!(matches!(seen.news(1), News::Same(Look { version: 1, .. })));
    }
}
