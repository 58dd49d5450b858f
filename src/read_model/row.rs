//! A row as a struct: loaded by keys, written by keys, many at a time.

use std::fmt::Write as _;

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use serde::Serialize;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::types::Json;
use uuid::Uuid;

use super::Key;

/// What the machine must know of a row. Declared by the `row!` macro, which keeps struct, columns and binds in step.
pub trait Row: Clone + Send + Sync + Unpin + for<'r> sqlx::FromRow<'r, PgRow> + 'static {
    /// What names a row.
    type Key: Key;
    /// The key's column.
    const KEY: &'static str;
    /// All columns with their types, the key first.
    const COLUMNS: &'static [(&'static str, &'static str)];

    /// A row nothing has happened to.
    fn empty(key: &Self::Key) -> Self;
    /// Its key.
    fn key(&self) -> Self::Key;
    /// Keys as one array.
    ///
    /// # Errors
    /// What encoding says.
    fn bind_keys(keys: &[Self::Key], arguments: &mut PgArguments) -> Result<(), sqlx::error::BoxDynError>;
    /// Rows as one array a column, in the order of [`Row::COLUMNS`].
    ///
    /// # Errors
    /// What encoding says.
    fn bind_rows(rows: &[Self], arguments: &mut PgArguments) -> Result<(), sqlx::error::BoxDynError>;
    /// As one line of `COPY … FROM STDIN` in text, in the order of [`Row::COLUMNS`].
    fn copy(&self, out: &mut String);
}

/// A value in the text format of COPY.
pub trait CopyText {
    /// Writes it, without what ends a column.
    fn copy(&self, out: &mut String);
}

impl CopyText for String {
    fn copy(&self, out: &mut String) {
        for letter in self.chars() {
            match letter {
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                letter => out.push(letter),
            }
        }
    }
}

/// What Postgres reads as it is displayed, and never has to escape.
macro_rules! displayed {
    ($($type:ty),+) => {
        $(impl CopyText for $type {
            fn copy(&self, out: &mut String) {
                _ = write!(out, "{self}");
            }
        })+
    };
}
displayed!(i16, i32, i64, bool, Uuid, NaiveDate);

impl CopyText for DateTime<Utc> {
    fn copy(&self, out: &mut String) {
        out.push_str(&self.to_rfc3339_opts(SecondsFormat::Micros, true));
    }
}

impl<T: Serialize> CopyText for Json<T> {
    fn copy(&self, out: &mut String) {
        // Rows hold what was read from JSON, which can be written as JSON.
        serde_json::to_string(&self.0).unwrap_or_default().copy(out);
    }
}

impl<T: CopyText> CopyText for Option<T> {
    fn copy(&self, out: &mut String) {
        match self {
            Some(value) => value.copy(out),
            None => out.push_str("\\N"),
        }
    }
}

/// Declares a row: `row! { pub struct StockRow { key product_id: String => "text", available: i64 => "bigint" } }`.
macro_rules! row {
    (
        $(#[$meta:meta])*
        pub struct $name:ident {
            $(#[$key_doc:meta])* key $key:ident: $key_type:ty => $key_sql:literal,
            $($(#[$doc:meta])* $column:ident: $type:ty => $sql:literal),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
        pub struct $name {
            $(#[$key_doc])* pub $key: $key_type,
            $($(#[$doc])* pub $column: $type,)+
        }

        impl $crate::read_model::Row for $name {
            type Key = $key_type;
            const KEY: &'static str = stringify!($key);
            const COLUMNS: &'static [(&'static str, &'static str)] =
                &[(stringify!($key), $key_sql), $((stringify!($column), $sql)),+];

            fn empty(key: &Self::Key) -> Self {
                Self { $key: key.clone(), $($column: Default::default(),)+ }
            }

            fn key(&self) -> Self::Key {
                self.$key.clone()
            }

            fn bind_keys(
                keys: &[Self::Key],
                arguments: &mut sqlx::postgres::PgArguments,
            ) -> Result<(), sqlx::error::BoxDynError> {
                sqlx::Arguments::add(arguments, keys.to_vec())
            }

            fn bind_rows(
                rows: &[Self],
                arguments: &mut sqlx::postgres::PgArguments,
            ) -> Result<(), sqlx::error::BoxDynError> {
                sqlx::Arguments::add(arguments, rows.iter().map(|row| row.$key.clone()).collect::<Vec<_>>())?;
                $(sqlx::Arguments::add(arguments, rows.iter().map(|row| row.$column.clone()).collect::<Vec<_>>())?;)+
                Ok(())
            }

            fn copy(&self, out: &mut String) {
                use $crate::read_model::CopyText as _;
                self.$key.copy(out);
                $(out.push('\t');
                self.$column.copy(out);)+
                out.push('\n');
            }
        }
    };
}
pub(crate) use row;
