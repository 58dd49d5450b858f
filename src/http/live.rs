//! `GET /ops/v1/live?ask=<question>&ask=…`: answers as they change, as server-sent events; one stream a tab.
//!
//! An `ask` is what follows `/ops/v1/` in the address of any question. Events: `snapshot` {channel, version, ageMs, value},
//! `patch` {channel, version, ageMs, changes} against the version before, `same` {channel, version, ageMs}, `problem`
//! {channel, status, code, detail}, and `bye` when the listener stops. `channel` is the place of the `ask`, from 0; `ageMs` how
//! long ago it was looked at. A viewer holds one version and no backlog: one that is slow skips versions and gets the next
//! snapshot. Each channel says something every few seconds, which is the sign of life.

mod channel;
mod patch;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Router};
use futures::future::join_all;
use futures::stream;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use self::channel::{Channel, News};
use super::error::{Failed, Problem};
use super::session::Held;
use crate::ops::access::{Caller, Role};

/// Most questions of one stream.
const MOST_ASKED: usize = 16;
/// Most different questions that are looked at, over all streams.
const MOST_CHANNELS: usize = 500;
/// How often a viewer is told: each channel once, so at most so often.
const TICK: Duration = Duration::from_secs(1);

/// Whether the listener stops; goes with every request.
#[derive(Clone, Debug)]
pub(super) struct Closing(pub watch::Receiver<bool>);

/// Who asks what. Nobody is shown what another was: an answer may depend on who has said why they want to see it.
type Key = (String, Role, String);

/// What is looked at, and by whom.
pub(super) struct Live {
    questions: Router,
    channels: Mutex<HashMap<Key, Weak<Channel>>>,
}

impl Live {
    /// Asks these questions; they see who asks, and refuse by themselves.
    pub(super) fn new(questions: Router) -> Arc<Self> {
        Arc::new(Self { questions, channels: Mutex::default() })
    }

    /// The channel of a question, shared by all tabs of one caller.
    fn channel(&self, question: &str, caller: &Caller) -> Option<Arc<Channel>> {
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (caller.name.clone(), caller.role, question.to_owned());
        if let Some(channel) = channels.get(&key).and_then(Weak::upgrade) {
            return Some(channel);
        }
        channels.retain(|_, channel| channel.strong_count() > 0);
        if channels.len() >= MOST_CHANNELS {
            return None;
        }
        let channel = Arc::new(Channel::new(question.to_owned(), caller.clone()));
        channels.insert(key, Arc::downgrade(&channel));
        Some(channel)
    }
}

/// One viewer.
struct Viewer {
    live: Arc<Live>,
    channels: Vec<(Arc<Channel>, u64)>,
    ticks: tokio::time::Interval,
    closing: watch::Receiver<bool>,
    session: Held,
    ready: VecDeque<Bytes>,
    is_over: bool,
}

/// Answers with a stream that lasts until the viewer goes, its session ends or the listener stops.
pub(super) async fn stream_answers(
    State(live): State<Arc<Live>>,
    Extension(caller): Extension<Caller>,
    Extension(Closing(closing)): Extension<Closing>,
    Extension(session): Extension<Held>,
    request: Request,
) -> Result<Response, Failed> {
    let asked = asked(request.uri().query().unwrap_or_default());
    if asked.is_empty() || asked.len() > MOST_ASKED {
        let detail = format!("a stream answers 1 to {MOST_ASKED} questions, and this asks {}", asked.len());
        let problem = Problem::new(StatusCode::BAD_REQUEST, "bad_query", detail);
        return Err(Failed(problem.next("ask as in /ops/v1/live?ask=consumers&ask=alarms")));
    }
    let channels: Option<Vec<_>> =
        asked.iter().map(|question| live.channel(question, &caller).map(|channel| (channel, 0))).collect();
    let Some(channels) = channels else {
        let detail = format!("{MOST_CHANNELS} different questions are looked at already");
        let problem = Problem::unavailable("too_many_channels", detail, Duration::from_secs(5));
        return Err(Failed(problem.next("ask the questions themselves instead, or close other pages")));
    };
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let ready = VecDeque::from([Bytes::from_static(b": ordo\n\n")]);
    let viewer = Viewer { live, channels, ticks, closing, session, ready, is_over: false };
    let body = Body::from_stream(stream::unfold(viewer, |mut viewer| async {
        let next = viewer.next().await?;
        Some((Ok::<_, std::convert::Infallible>(next), viewer))
    }));
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        // A proxy that gathers an answer before it passes it on would show nothing for ever.
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    Ok((headers, body).into_response())
}

impl Viewer {
    /// What is sent next; `None` ends the stream.
    async fn next(&mut self) -> Option<Bytes> {
        while self.ready.is_empty() && !self.is_over {
            let mut closing = self.closing.clone();
            let told = tokio::select! {
                // A sender that is gone is a listener that is gone.
                _ = closing.wait_for(|closing| *closing) => None,
                told = self.look() => told,
            };
            self.is_over = told.is_none();
            self.ready.extend(told.unwrap_or_else(|| vec![event("bye", &json!({}))]));
        }
        self.ready.pop_front()
    }

    /// Looks at every channel at once, when it is time to; `None` once the session has ended.
    async fn look(&mut self) -> Option<Vec<Bytes>> {
        self.ticks.tick().await;
        if !self.session.holds().await {
            return None;
        }
        let questions = &self.live.questions;
        let news = join_all(self.channels.iter().map(|(channel, version)| channel.news(*version, questions))).await;
        let channels = self.channels.iter_mut().enumerate();
        Some(channels.zip(news).map(|((index, (_, version)), news)| told(index, version, news)).collect())
    }
}

/// News as the channel of this place tells them to a viewer who knows `version`.
fn told(index: usize, version: &mut u64, news: News) -> Bytes {
    match news {
        News::Snapshot(seen, value) => {
            *version = seen.version;
            event(
                "snapshot",
                &json!({ "channel": index, "version": seen.version, "ageMs": seen.age_ms, "value": &*value }),
            )
        }
        News::Patch(seen, changes) => {
            *version = seen.version;
            event(
                "patch",
                &json!({ "channel": index, "version": seen.version, "ageMs": seen.age_ms, "changes": &*changes }),
            )
        }
        News::Same(seen) => event("same", &json!({ "channel": index, "version": seen.version, "ageMs": seen.age_ms })),
        News::Problem(problem) => {
            let mut told = Value::clone(&problem);
            told["channel"] = json!(index);
            event("problem", &told)
        }
    }
}

/// Values of `ask`.
fn asked(query: &str) -> Vec<String> {
    let asks = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == "ask");
    asks.map(|(_, question)| question.into_owned()).filter(|question| !question.is_empty()).collect()
}

/// One event; JSON has no line breaks of its own.
fn event(name: &str, data: &Value) -> Bytes {
    Bytes::from(format!("event: {name}\ndata: {data}\n\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_read_from_the_address_as_they_were_written() {
        assert_eq!(
            asked("ask=consumers&x=1&ask=dlq%3Fstate%3Dall%26limit%3D5"),
            ["consumers", "dlq?state=all&limit=5"]
        );
        assert_eq!(asked("ask=&ask=%zz&"), ["%zz"]);
        assert!(asked("").is_empty());
    }

    #[test]
    fn an_event_is_one_block() {
        let block = event("same", &json!({ "text": "a\nb" }));
        assert_eq!(&block[..], b"event: same\ndata: {\"text\":\"a\\nb\"}\n\n");
    }
}
