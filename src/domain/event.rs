//! How an event of the domain becomes a name and a JSON payload, and comes back.

use std::fmt::Debug;

/// An event as the domain knows it. Its newest version is the wire format: what is stored and published is this struct's
/// own JSON.
pub trait DomainEvent: Clone + Debug + PartialEq + Send + Sync + 'static {
    /// Every type name of this kind, in the order an aggregate lives through them.
    const TYPES: &'static [&'static str];

    /// The stored name, such as `order.created`. Renaming one makes every event stored before unreadable.
    fn event_type(&self) -> &'static str;

    /// Version of the payload's schema, 1 or more.
    fn schema_version(&self) -> u16 {
        1
    }

    /// The payload as JSON text.
    fn to_payload(&self) -> String;

    /// Reads a stored or received event.
    ///
    /// # Errors
    /// [`Unreadable`] for a type this kind does not know or a payload that does not fit it.
    fn from_payload(event_type: &str, payload: &str) -> Result<Self, Unreadable>;
}

/// An event that this build cannot read.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// No event of that name exists here.
    #[error("no event type {0} is known here; a newer build may have written it")]
    UnknownType(String),
    /// The payload is not what the type promises.
    #[error("the payload of {event_type} does not fit its schema")]
    Payload {
        /// The type it was read as.
        event_type: String,
        /// What did not fit.
        #[source]
        source: serde_json::Error,
    },
}

/// Declares the event enum of an aggregate: one line an event, stored name first. The name and the payload's struct then
/// stand at one place only.
macro_rules! events {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$doc:meta])* $stored:literal => $variant:ident($payload:ty)),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        pub enum $name { $($(#[$doc])* $variant($payload)),+ }

        impl $crate::domain::DomainEvent for $name {
            const TYPES: &'static [&'static str] = &[$($stored),+];

            fn event_type(&self) -> &'static str {
                match self { $(Self::$variant(_) => $stored),+ }
            }

            fn to_payload(&self) -> String {
                match self { $(Self::$variant(payload) => serde_json::to_string(payload)),+ }
                    .expect("an event's payload has string keys only, so it is JSON")
            }

            fn from_payload(event_type: &str, payload: &str) -> Result<Self, $crate::domain::Unreadable> {
                match event_type {
                    $($stored => serde_json::from_str(payload).map(Self::$variant),)+
                    unknown => return Err($crate::domain::Unreadable::UnknownType(unknown.to_owned())),
                }
                .map_err(|source| $crate::domain::Unreadable::Payload { event_type: event_type.to_owned(), source })
            }
        }
    };
}
pub(crate) use events;
