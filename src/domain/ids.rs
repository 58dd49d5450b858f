//! Names of things: newtypes, so that an order's id is never taken for a receipt's.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Namespace of everything derived from an idempotency key. Changing it makes repeated requests strangers to their first.
const IDEMPOTENCY: Uuid = Uuid::from_u128(0x6f72_646f_0000_5000_8000_6964_656d_706f);

/// Longest id a caller may choose, in bytes.
const CALLERS_ID_MAX: usize = 64;

/// What an idempotency key is unique within: the caller, or the user where callers are not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyScope(String);

impl IdempotencyScope {
    /// Keys of one user.
    #[must_use]
    pub fn user(user: &UserId) -> Self {
        Self(format!("user/{user}"))
    }

    /// Keys for one product's stock receipts.
    #[must_use]
    pub fn product(product: &ProductId) -> Self {
        Self(format!("product/{product}"))
    }

    fn derive(&self, kind: &str, key: &str) -> Uuid {
        let scope = Uuid::new_v5(&IDEMPOTENCY, format!("{kind}/{}", self.0).as_bytes());
        Uuid::new_v5(&scope, key.as_bytes())
    }
}

/// Why a text is not an id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidId {
    /// Not a UUID.
    #[error("{0:?} is not a UUID")]
    NotAUuid(String),
    /// Outside the alphabet or the length of ids chosen by callers.
    #[error("{0:?} is not an id: 1 to 64 characters of A-Z, a-z, 0-9, '.', '_' and '-'")]
    NotACallersId(String),
}

macro_rules! uuid_id {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Uuid::from_str(text).map(Self).map_err(|_| InvalidId::NotAUuid(text.chars().take(80).collect()))
            }
        }
    };
}

uuid_id! {
    /// An order.
    OrderId
}
uuid_id! {
    /// A stock receipt: goods that came in.
    ReceiptId
}

impl OrderId {
    /// The same scope and idempotency key always name the same order, so a repeated POST meets itself.
    #[must_use]
    pub fn derive(scope: &IdempotencyScope, key: &str) -> Self {
        Self(scope.derive("order", key))
    }
}

impl ReceiptId {
    /// The same product and idempotency key always name the same receipt.
    #[must_use]
    pub fn derive(scope: &IdempotencyScope, key: &str) -> Self {
        Self(scope.derive("receipt", key))
    }
}

macro_rules! callers_id {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$" })
            }
        }

        impl $name {
            /// The text itself.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let allowed = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'_' | b'-');
                if (1..=CALLERS_ID_MAX).contains(&text.len()) && text.bytes().all(allowed) {
                    Ok(Self(text.into()))
                } else {
                    Err(InvalidId::NotACallersId(text.chars().take(80).collect()))
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.as_ref().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

callers_id! {
    /// A product; chosen by the caller, or a UUIDv7 when left out.
    ProductId
}
callers_id! {
    /// A customer; chosen by the caller.
    UserId
}

impl From<Uuid> for ProductId {
    fn from(id: Uuid) -> Self {
        Self(id.to_string().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_key_names_one_order_within_its_scope_and_kind() {
        let ada = IdempotencyScope::user(&"ada".parse().unwrap());
        let bob = IdempotencyScope::user(&"bob".parse().unwrap());
        assert_eq!(OrderId::derive(&ada, "k"), OrderId::derive(&ada, "k"));
        assert_ne!(OrderId::derive(&ada, "k"), OrderId::derive(&bob, "k"));
        assert_ne!(Uuid::from(OrderId::derive(&ada, "k")), Uuid::from(ReceiptId::derive(&ada, "k")));
    }

    #[test]
    fn a_callers_id_is_short_and_safe_in_a_path() {
        for good in ["a", "A.b_c-9", &"x".repeat(64)] {
            assert!(good.parse::<ProductId>().is_ok(), "{good}");
        }
        for bad in ["", "a b", "a/b", "a:b", "ä", &"x".repeat(65)] {
            assert!(bad.parse::<ProductId>().is_err(), "{bad}");
        }
    }
}
