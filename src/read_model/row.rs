//! A row as a struct: loaded by keys, written by keys, many at a time.

use sqlx::postgres::{PgArguments, PgRow};

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
                use $crate::postgres::CopyText as _;
                self.$key.copy(out);
                $(out.push('\t');
                self.$column.copy(out);)+
                out.push('\n');
            }
        }
    };
}
pub(crate) use row;
