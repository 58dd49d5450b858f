//! Panics of handlers: caught, and told with the place where they began.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

use futures::FutureExt;

use super::Failure;

thread_local! {
    /// Where this thread panicked last.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// A panic's payload has no place; only the hook sees it, on the thread that panics, before it unwinds.
fn watch() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let place = info.location().map(|place| format!("{}:{}", place.file(), place.line()));
            PLACE.with_borrow_mut(|known| *known = place);
            before(info);
        }));
    });
}

/// Runs `work`; a panic is a failure.
///
/// # Errors
/// [`Failure::Panic`].
pub(super) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, Failure> {
    watch();
    panic::catch_unwind(AssertUnwindSafe(work)).map_err(failure)
}

/// Awaits `work`; a panic is a failure.
///
/// # Errors
/// [`Failure::Panic`].
pub(super) async fn caught_async<T>(work: impl Future<Output = T>) -> Result<T, Failure> {
    watch();
    AssertUnwindSafe(work).catch_unwind().await.map_err(failure)
}

/// Called on the thread that has just caught it.
#[expect(clippy::needless_pass_by_value, reason = "what was caught is handed over")]
fn failure(panic: Box<dyn Any + Send>) -> Failure {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let message = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned());
    let place = PLACE.with_borrow_mut(Option::take).unwrap_or_else(|| "an unknown place".to_owned());
    Failure::Panic { message, place }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_told_with_its_place() {
        for failure in [
            caught(|| panic!("one")).map(|(): ()| ()).unwrap_err(),
            caught_async(async { panic!("two") }).await.map(|(): ()| ()).unwrap_err(),
        ] {
            let text = failure.to_string();
            assert!(text.contains("panics.rs:"), "{text}");
            assert!(text.contains("one") || text.contains("two"), "{text}");
        }
    }
}
