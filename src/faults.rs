//! Named points where a test ends the process, fails a handler or crashes one kind of actor.
//!
//! Without the feature `crash-points` every function here is empty. `ORDO_CRASH_AT=pass.appended@3` aborts the process at
//! the third pass of that point: an abort, since a panic would be caught. `ORDO_STOP_AT` freezes it there.
//! `ORDO_DEFECT=dedup_off` plants a defect, so that whoever checks this service can prove that they see it.

/// Every point at which the process can be made to end, in the order an order meets them.
pub const POINTS: &[&str] = &[
    "writer.before_commit",
    "writer.committed",
    "relay.published",
    "pass.begun",
    "pass.fenced",
    "pass.judged",
    "pass.handled",
    "pass.buried",
    "pass.appended",
    "pass.folded",
    "pass.committed",
    "parked.begun",
    "parked.judged",
    "parked.written",
    "parked.committed",
    "parked.buried",
    "replay.begun",
    "replay.applied",
    "replay.written",
    "replay.committed",
    "replay.tried",
    "rebuild.prepare",
    "rebuild.bulk",
    "rebuild.piece_read",
    "rebuild.piece_written",
    "rebuild.piece_done",
    "rebuild.index",
    "rebuild.indexing",
    "rebuild.indexed",
    "rebuild.catch_up",
    "rebuild.caught_up",
    "rebuild.attaching",
    "rebuild.attached",
    "rebuild.verify",
    "rebuild.comparing",
    "rebuild.compared",
    "rebuild.rest",
];

/// Every kind of actor that can be made to crash, and `aggregate.appended`: an aggregate between append and answer.
pub const KINDS: &[&str] = &[
    "aggregate",
    "aggregate.appended",
    "dead_letter_publisher",
    "feed",
    "heartbeat",
    "housekeeper",
    "listener",
    "parked_worker",
    "rebuilder",
    "relay",
    "shard",
    "worker",
    "writer",
];

/// A mistake that a test build makes on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defect {
    /// A writer answers before it has sent anything.
    AnswerBeforeCommit,
    /// Neither position nor ledger nor guard suppresses a repeat, and an append that exists already is passed over.
    DedupOff,
    /// The relay's place moves with what is enqueued, not with what is acknowledged.
    CheckpointBeforeAcknowledgement,
    /// A conflict is answered as an acceptance.
    ConflictSwallowed,
    /// A rebuild passes some events over.
    FoldWrong,
}

impl Defect {
    /// Every defect with the name `ORDO_DEFECT` knows it by.
    pub const ALL: &[(&str, Self)] = &[
        ("answer_before_commit", Self::AnswerBeforeCommit),
        ("dedup_off", Self::DedupOff),
        ("checkpoint_before_acknowledgement", Self::CheckpointBeforeAcknowledgement),
        ("conflict_swallowed", Self::ConflictSwallowed),
        ("fold_wrong", Self::FoldWrong),
    ];
}

#[cfg(feature = "crash-points")]
mod armed {
    use std::collections::HashMap;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};

    use super::Defect;
    use crate::subscription::{Blamed, Delivered, Failure};
    use crate::supervision::Crash;

    /// The defect this process was started with.
    static PLANTED: OnceLock<Defect> = OnceLock::new();
    /// Crashes still to come, by kind of actor.
    static CRASHES: LazyLock<Mutex<HashMap<String, u32>>> = LazyLock::new(Mutex::default);
    /// Handlers to fail, by subscription: only events whose payload holds the text, in this way.
    static FAILURES: LazyLock<Mutex<HashMap<String, (String, HandlerFault)>>> = LazyLock::new(Mutex::default);

    /// How a handler is made to fail.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum HandlerFault {
        /// It panics.
        Panic,
        /// It says that the event may work later.
        Transient,
        /// It says that the event never will.
        Permanent,
    }

    /// Arms the points that `ORDO_CRASH_AT` and `ORDO_STOP_AT` name, and plants the defect of `ORDO_DEFECT`.
    ///
    /// # Errors
    /// A point nobody passes, a defect nobody knows; the right names follow.
    pub fn arm_from_environment() -> Result<(), String> {
        arm("ORDO_CRASH_AT", || std::process::abort())?;
        arm("ORDO_STOP_AT", stop_this_process)?;
        match std::env::var("ORDO_DEFECT") {
            Ok(name) => plant(defect(&name)?),
            Err(_) => Ok(()),
        }
    }

    fn plant(defect: Defect) -> Result<(), String> {
        PLANTED.set(defect).map_err(|_| "a defect is planted already".to_owned())?;
        tracing::warn!(?defect, "a defect is planted: this process is wrong on purpose");
        Ok(())
    }

    fn defect(name: &str) -> Result<Defect, String> {
        let known = Defect::ALL.iter().find(|(known, _)| *known == name).map(|(_, defect)| *defect);
        known.ok_or_else(|| {
            let names: Vec<&str> = Defect::ALL.iter().map(|(name, _)| *name).collect();
            format!("ORDO_DEFECT={name}: no such defect; there are {}", names.join(", "))
        })
    }

    /// Whether this process was started with that defect.
    pub fn planted(defect: Defect) -> bool {
        PLANTED.get() == Some(&defect)
    }

    /// SIGSTOP, as a machine that stalls.
    fn stop_this_process() {
        let pid = std::process::id().to_string();
        // Without it the test that asked for it waits in vain, which is its failure to tell.
        _ = std::process::Command::new("kill").args(["-STOP", &pid]).status();
    }

    fn arm(name: &str, act: fn()) -> Result<(), String> {
        let Ok(wanted) = std::env::var(name) else {
            return Ok(());
        };
        let (point, hits) = wanted.split_once('@').unwrap_or((&wanted, "1"));
        let hits: u64 = hits.parse().map_err(|_| format!("{name}={wanted}: not a count after @"))?;
        if !super::POINTS.contains(&point) {
            return Err(format!("{name}={wanted}: no such point; there are {}", super::POINTS.join(", ")));
        }
        let seen = Arc::new(AtomicU64::new(0));
        fail::cfg_callback(point, move || {
            if seen.fetch_add(1, Ordering::SeqCst) + 1 == hits {
                act();
            }
        })
    }

    /// Passes a point.
    pub fn point(name: &'static str) {
        fail::fail_point!(name);
    }

    /// Makes the next `times` messages of one kind of actor crash it.
    ///
    /// # Errors
    /// A kind that cannot be made to crash.
    pub fn crash_actors(kind: &str, times: u32) -> Result<(), String> {
        if !super::KINDS.contains(&kind) {
            return Err(format!("no kind {kind:?} can be made to crash; there are {}", super::KINDS.join(", ")));
        }
        CRASHES.lock().unwrap_or_else(PoisonError::into_inner).insert(kind.to_owned(), times);
        Ok(())
    }

    /// Crashes the calling actor if its kind is to be crashed.
    ///
    /// # Errors
    /// The crash.
    pub fn actor(kind: &'static str) -> Result<(), Crash> {
        let mut crashes = CRASHES.lock().unwrap_or_else(PoisonError::into_inner);
        match crashes.get_mut(kind) {
            Some(left) if *left > 0 => {
                *left -= 1;
                Err(Crash::bug(format!("crashed on purpose, {left} more to come")))
            }
            _ => Ok(()),
        }
    }

    /// Makes a subscription's handler fail for every event whose payload contains `text`; nothing more to fail if none.
    pub fn fail_events(subscription: &str, fault: Option<(String, HandlerFault)>) {
        let mut failures = FAILURES.lock().unwrap_or_else(PoisonError::into_inner);
        match fault {
            Some(fault) => failures.insert(subscription.to_owned(), fault),
            None => failures.remove(subscription),
        };
    }

    /// Fails the calling handler if one of its events is to fail.
    ///
    /// # Errors
    /// The failure asked for.
    pub fn fail_handler(subscription: &str, events: &[&Delivered]) -> Result<(), Blamed> {
        let fault = FAILURES.lock().unwrap_or_else(PoisonError::into_inner).get(subscription).cloned();
        match fault {
            Some((text, fault)) if events.iter().any(|event| event.event.payload.contains(&text)) => {
                Err(Blamed::from(match fault {
                    HandlerFault::Panic => {
                        Failure::Panic { message: "failed on purpose".into(), place: "faults.rs:1".into() }
                    }
                    HandlerFault::Transient => Failure::transient("failed on purpose"),
                    HandlerFault::Permanent => Failure::permanent("failed on purpose"),
                }))
            }
            _ => Ok(()),
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_wrong_name_of_a_defect_is_told_the_right_ones() {
            assert_eq!(defect("dedup_off"), Ok(Defect::DedupOff));
            let error = defect("dedup").unwrap_err();
            assert!(error.contains("answer_before_commit, dedup_off, checkpoint_before_acknowledgement"), "{error}");
        }
    }
}

#[cfg(feature = "crash-points")]
pub use armed::{HandlerFault, actor, arm_from_environment, crash_actors, fail_events, fail_handler, planted, point};

#[cfg(not(feature = "crash-points"))]
mod absent {
    use super::Defect;
    use crate::subscription::{Blamed, Delivered};
    use crate::supervision::Crash;

    /// Nothing: this build has no points and no defects.
    ///
    /// # Errors
    /// If one is asked for all the same.
    pub fn arm_from_environment() -> Result<(), String> {
        match ["ORDO_CRASH_AT", "ORDO_DEFECT"].into_iter().find(|name| std::env::var_os(name).is_some()) {
            Some(name) => {
                Err(format!("{name} is set, but this build has no crash points; build with --features crash-points"))
            }
            None => Ok(()),
        }
    }

    /// No defect is planted in this build.
    #[inline]
    pub const fn planted(_defect: Defect) -> bool {
        false
    }

    /// Nothing.
    #[inline]
    pub fn point(_name: &'static str) {}

    /// Nothing.
    ///
    /// # Errors
    /// Never.
    #[inline]
    pub fn actor(_kind: &'static str) -> Result<(), Crash> {
        Ok(())
    }

    /// Nothing.
    ///
    /// # Errors
    /// Never.
    #[inline]
    pub fn fail_handler(_subscription: &str, _events: &[&Delivered]) -> Result<(), Blamed> {
        Ok(())
    }
}

#[cfg(not(feature = "crash-points"))]
pub use absent::{actor, arm_from_environment, fail_handler, planted, point};
