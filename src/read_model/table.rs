//! Versioned tables of read models. The only place that puts a table's name into SQL.

use std::marker::PhantomData;
use std::sync::Arc;

use sqlx::{AssertSqlSafe, PgConnection};

use super::{Projection, Row};
use crate::subscription::models::ModelVersion;

/// The table of one version of a read model, with the statements that read and write it.
///
/// Names come from constants of the code and from numbers, never from a request, which is why their SQL may be asserted
/// safe here.
#[derive(Debug)]
pub struct Table<P> {
    version: ModelVersion,
    name: Arc<str>,
    pub(super) look: Arc<str>,
    pub(super) load: Arc<str>,
    pub(super) insert_empty: Arc<str>,
    pub(super) upsert: Arc<str>,
    projection: PhantomData<fn() -> P>,
}

impl<P> Clone for Table<P> {
    fn clone(&self) -> Self {
        Self {
            version: self.version,
            name: self.name.clone(),
            look: self.look.clone(),
            load: self.load.clone(),
            insert_empty: self.insert_empty.clone(),
            upsert: self.upsert.clone(),
            projection: PhantomData,
        }
    }
}

/// The bare name of a version's table.
pub(super) fn name_of(model: &str, version: ModelVersion) -> String {
    match version.number {
        1 => format!("{model}_v{}", version.code),
        number => format!("{model}_v{}_{number}", version.code),
    }
}

/// A statement about tables, which are named by this module alone.
pub(super) fn assert_safe(sql: String) -> AssertSqlSafe<String> {
    AssertSqlSafe(sql)
}

pub(super) fn safe(sql: &Arc<str>) -> AssertSqlSafe<Arc<str>> {
    AssertSqlSafe(sql.clone())
}

impl<P: Projection> Table<P> {
    /// The `number`th table of this code.
    #[must_use]
    pub fn of(number: u32) -> Self {
        let version = ModelVersion { code: P::VERSION, number };
        let name = name_of(P::NAME, version);
        let table = format!("views.{name}");
        let columns: Vec<&str> = P::Row::COLUMNS.iter().map(|(column, _)| *column).collect();
        let (key, key_type) = P::Row::COLUMNS[0];
        let lock = if P::SHARED_ROWS { " for update" } else { "" };
        let list = columns.join(", ");
        let casts: Vec<String> = (1..).zip(P::Row::COLUMNS).map(|(n, (_, sql))| format!("${n}::{sql}[]")).collect();
        let casts = casts.join(", ");
        let sets: Vec<String> = columns[1..].iter().map(|column| format!("{column} = excluded.{column}")).collect();
        let look = format!("select {list} from {table} where {key} = any($1::{key_type}[]) order by {key}");
        Self {
            load: format!("{look}{lock}").into(),
            look: look.into(),
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
            version,
            projection: PhantomData,
        }
    }

    /// Which version it is.
    #[must_use]
    pub fn version(&self) -> ModelVersion {
        self.version
    }

    /// A statement of this read model, `{table}` and `{name}` replaced.
    #[must_use]
    pub fn sql(&self, template: &str) -> AssertSqlSafe<String> {
        let qualified = format!("views.{}", self.name);
        AssertSqlSafe(template.replace("{table}", &qualified).replace("{name}", &self.name))
    }

    /// The statements of its template, in order.
    pub(super) fn statements(&self) -> Statements {
        let mut statements = P::TEMPLATE.split(";\n").map(str::trim).filter(|statement| !statement.is_empty());
        let makes = self.sql(statements.next().unwrap_or_default());
        let (seals, indexes): (Vec<&str>, Vec<&str>) =
            statements.partition(|statement| statement.starts_with("alter table"));
        let of = |statements: Vec<&str>| statements.into_iter().map(|statement| self.sql(statement)).collect();
        Statements { makes, indexes: of(indexes), seals: of(seals) }
    }
}

/// A template's statements, by when a rebuild needs them.
pub(super) struct Statements {
    /// Makes the table.
    pub makes: AssertSqlSafe<String>,
    /// Make indexes: once the rows are there.
    pub indexes: Vec<AssertSqlSafe<String>>,
    /// Say what holds of rows: once they have seen every event, since before that part of a sum may be missing.
    pub seals: Vec<AssertSqlSafe<String>>,
}

/// Runs statements in turn.
pub(super) async fn run(statements: Vec<AssertSqlSafe<String>>, db: &mut PgConnection) -> sqlx::Result<()> {
    for statement in statements {
        sqlx::raw_sql(statement).execute(&mut *db).await?;
    }
    Ok(())
}
