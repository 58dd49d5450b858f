//! Which tables a transaction that writes read models has to write: a model may have several versions, which the same
//! transaction writes, so that they are equal at every snapshot.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use sqlx::PgConnection;

const SHARE: &str = include_str!("sql/share_models.sql");

/// A version of a read model: that of the code that folds it, and which of that code's tables it is. Written `2.3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModelVersion {
    /// Version of table and fold in the code.
    pub code: u16,
    /// Counts the tables made by that code, from 1.
    pub number: u32,
}

impl ModelVersion {
    /// From columns.
    #[must_use]
    pub fn of(code: i16, number: i32) -> Self {
        Self { code: code.unsigned_abs(), number: number.unsigned_abs() }
    }
}

impl fmt::Display for ModelVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.code, self.number)
    }
}

impl FromStr for ModelVersion {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('.').and_then(|(code, number)| Some((code.parse().ok()?, number.parse().ok()?)));
        match parts {
            Some((code @ 1.., number @ 1..)) => Ok(Self { code, number }),
            _ => Err(format!("{text:?} is no version such as 1.2; `ordo projections list` shows them")),
        }
    }
}

/// A version that is to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attached {
    /// Which.
    pub version: ModelVersion,
    /// Whether queries and decisions read it.
    pub is_active: bool,
}

/// The versions that a transaction has to write, as of its lock: none is added or left while it lasts.
#[derive(Clone, Debug, Default)]
pub struct Written(HashMap<String, Vec<Attached>>);

impl Written {
    /// Those of one read model, the active one first.
    #[must_use]
    pub fn of(&self, model: &str) -> &[Attached] {
        self.0.get(model).map_or(&[], Vec::as_slice)
    }

    /// The one whose rows decisions are made on.
    #[must_use]
    pub fn active(&self, model: &str) -> Option<ModelVersion> {
        self.of(model).iter().find(|attached| attached.is_active).map(|attached| attached.version)
    }
}

/// Takes part in writing these read models: the first statement of every transaction that does.
///
/// # Errors
/// What Postgres says.
pub async fn share(models: &[&str], tx: &mut PgConnection) -> sqlx::Result<Written> {
    let rows: Vec<(String, i16, i32, bool)> = sqlx::query_as(SHARE).bind(models).fetch_all(tx).await?;
    let mut written = Written::default();
    for (name, code, number, is_active) in rows {
        let version = ModelVersion::of(code, number);
        written.0.entry(name).or_default().push(Attached { version, is_active });
    }
    Ok(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_as_it_is_written_and_rubbish_is_told() {
        let version = ModelVersion { code: 2, number: 13 };
        assert_eq!(version.to_string().parse(), Ok(version));
        for bad in ["", "2", "2.", "0.1", "1.0", "v1.2", "1.2.3"] {
            assert!(bad.parse::<ModelVersion>().is_err(), "{bad}");
        }
    }
}
