//! Versioned tables of read models. The only place that puts a table's name into SQL.

use std::marker::PhantomData;
use std::sync::Arc;

use sqlx::{AssertSqlSafe, PgPool};

use super::{Projection, Row};

const REMEMBER: &str = include_str!("sql/remember.sql");

/// The table of one version of a read model, with the statements that read and write it.
///
/// Names come from constants of the code, never from a request, which is why their SQL may be asserted safe here.
#[derive(Debug)]
pub struct Table<P> {
    name: Arc<str>,
    pub(super) load: Arc<str>,
    pub(super) insert_empty: Arc<str>,
    pub(super) upsert: Arc<str>,
    projection: PhantomData<fn() -> P>,
}

impl<P> Clone for Table<P> {
    fn clone(&self) -> Self {
        Self {
            name: self.name.clone(),
            load: self.load.clone(),
            insert_empty: self.insert_empty.clone(),
            upsert: self.upsert.clone(),
            projection: PhantomData,
        }
    }
}

impl<P: Projection> Default for Table<P> {
    fn default() -> Self {
        Self::active()
    }
}

impl<P: Projection> Table<P> {
    /// The table queries read: that of the version this build knows.
    #[must_use]
    pub fn active() -> Self {
        let name = format!("{}_v{}", P::NAME, P::VERSION);
        let table = format!("views.{name}");
        let columns: Vec<&str> = P::Row::COLUMNS.iter().map(|(column, _)| *column).collect();
        let (key, key_type) = P::Row::COLUMNS[0];
        let lock = if P::SHARED_ROWS { " for update" } else { "" };
        let list = columns.join(", ");
        let casts: Vec<String> = (1..).zip(P::Row::COLUMNS).map(|(n, (_, sql))| format!("${n}::{sql}[]")).collect();
        let casts = casts.join(", ");
        let sets: Vec<String> = columns[1..].iter().map(|column| format!("{column} = excluded.{column}")).collect();
        Self {
            load: format!("select {list} from {table} where {key} = any($1::{key_type}[]) order by {key}{lock}").into(),
            insert_empty: format!(
                "insert into {table} ({list}) select * from unnest({casts}) order by 1 on conflict ({key}) do nothing"
            )
            .into(),
            upsert: format!(
                "insert into {table} ({list}) select * from unnest({casts}) order by 1 on conflict ({key}) do update set {}",
                sets.join(", ")
            )
            .into(),
            name: name.into(),
            projection: PhantomData,
        }
    }

    /// Its bare name, which is also the name of the subscription that feeds it from the log.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A statement of this read model, `{table}` and `{name}` replaced.
    #[must_use]
    pub fn sql(&self, template: &'static str) -> AssertSqlSafe<String> {
        let qualified = format!("views.{}", self.name);
        AssertSqlSafe(template.replace("{table}", &qualified).replace("{name}", &self.name))
    }

    /// Makes the table if this version has none yet. Run by `ordo migrate`, as the owner.
    ///
    /// # Errors
    /// What Postgres says.
    pub async fn create_if_missing(&self, db: &PgPool) -> sqlx::Result<()> {
        let mut tx = db.begin().await?;
        let new: Option<i16> = sqlx::query_scalar(REMEMBER)
            .bind(P::NAME)
            .bind(i16::try_from(P::VERSION).expect("versions are small"))
            .fetch_optional(&mut *tx)
            .await?;
        if new.is_some() {
            sqlx::raw_sql(self.sql(P::TEMPLATE)).execute(&mut *tx).await?;
        }
        tx.commit().await
    }
}

pub(super) fn safe(sql: &Arc<str>) -> AssertSqlSafe<Arc<str>> {
    AssertSqlSafe(sql.clone())
}

/// Makes the tables of several read models, in turn.
#[macro_export]
#[doc(hidden)]
macro_rules! create_tables {
    ($db:expr, $($projection:ty),+ $(,)?) => {{
        $($crate::read_model::Table::<$projection>::active().create_if_missing($db).await?;)+
        Ok(())
    }};
}
pub use create_tables as create_missing;
