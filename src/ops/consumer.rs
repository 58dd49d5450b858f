//! Consumers as operators name them.

use sqlx::PgConnection;

use super::action::Refused;
use crate::subscription::control;

/// Refuses a name that no consumer has; says which there are.
///
/// # Errors
/// [`Refused::NotFound`], [`Refused::Postgres`].
pub(super) async fn named(name: &str, tx: &mut PgConnection) -> Result<(), Refused> {
    let known = control::names(tx).await?;
    if known.iter().any(|known| known == name) { Ok(()) } else { Err(Refused::NotFound(unknown(name, &known))) }
}

/// That there is no such consumer, and which there are.
pub(super) fn unknown(name: &str, known: &[impl AsRef<str>]) -> String {
    if known.is_empty() {
        return format!("there is no consumer {name:?}, and no other: none has ever run on this database");
    }
    let known: Vec<&str> = known.iter().map(AsRef::as_ref).collect();
    format!("there is no consumer {name:?}; there are {}", known.join(", "))
}
