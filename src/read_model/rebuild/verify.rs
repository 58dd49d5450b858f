//! Compares a version with the active one, range by range of keys: each in one statement, whose snapshot sees both as the
//! same transactions left them. What differs is kept, with both rows, for whoever has to decide.

use std::sync::Arc;

use serde_json::Value;
use sqlx::{PgConnection, PgPool};

use super::row::Phase;
use super::{Done, Ground, Rebuild, StepError, shape};
use crate::faults;
use crate::read_model::table::{assert_safe, name_of, safe};
use crate::read_model::{Model, Shape, versions};
use crate::subscription::models::ModelVersion;

const NOTE: &str = include_str!("../sql/rebuild_compared.sql");
const KEEP: &str = include_str!("../sql/rebuild_differences_insert.sql");
/// Rows of one comparison.
const RANGE: i64 = 10_000;
/// Differences kept; the others are only counted.
const KEPT: i64 = 1_000;

/// A row that is not the same in both.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct Difference {
    /// Its key, as text.
    pub key: String,
    /// The active version's row; none if it has none.
    pub active_row: Option<Value>,
    /// The new version's.
    pub own_row: Option<Value>,
}

/// The statements that compare two tables by the columns both have, over one range of keys. Keys are compared as they are
/// indexed: as text they would be sorted anew for every range.
struct Pair {
    bound: Arc<str>,
    sums: Arc<str>,
    differences: Arc<str>,
}

/// A range of keys, as text: after one, up to another; none is without bound.
type Range<'a> = (Option<&'a str>, Option<&'a str>);

impl Pair {
    fn of(
        model: &str,
        active: (&dyn Shape, ModelVersion),
        own: (&dyn Shape, ModelVersion),
        (after, upto): Range<'_>,
    ) -> Self {
        let [a, b] = [active.1, own.1].map(|version| format!("views.{}", name_of(model, version)));
        let (key, key_type) = own.0.columns()[0];
        let shared: Vec<&str> = own
            .0
            .columns()
            .iter()
            .filter(|column| active.0.columns().contains(column))
            .map(|(column, _)| *column)
            .collect();
        let row = format!("row({})", shared.join(", "));
        let after =
            if after.is_some() { format!("{key} > $1::text::{key_type}") } else { "$1::text is null".to_owned() };
        let upto =
            if upto.is_some() { format!("{key} <= $2::text::{key_type}") } else { "$2::text is null".to_owned() };
        let range = format!("{after} and {upto}");
        let sum = |table: &str| {
            format!(
                "select count(*) as rows, coalesce(sum(hashtextextended({row}::text, 0)), 0) as hash from {table} where {range}"
            )
        };
        let json = |table: &str| {
            let fields: Vec<String> = shared.iter().map(|column| format!("'{column}', {column}")).collect();
            format!(
                "select {key}::text as key, {row}::text as whole, jsonb_build_object({}) as shown from {table} where {range}",
                fields.join(", ")
            )
        };
        Self {
            bound: Arc::from(format!("select {key}::text from {a} where {after} order by {key} offset $2 - 1 limit 1")),
            sums: Arc::from(format!(
                "select a.rows, a.rows = b.rows and a.hash = b.hash from ({}) as a, ({}) as b",
                sum(&a),
                sum(&b)
            )),
            differences: Arc::from(format!(
                "select key, a.shown as active_row, b.shown as own_row from ({}) as a full join ({}) as b using (key) \
                 where a.whole is distinct from b.whole order by key",
                json(&a),
                json(&b)
            )),
        }
    }

    /// The key of the last row of the next range; none if it is the last range.
    async fn bound(&self, after: Option<&str>, db: &PgPool) -> sqlx::Result<Option<String>> {
        sqlx::query_scalar(safe(&self.bound)).bind(after).bind(RANGE).fetch_optional(db).await
    }

    async fn compare(&self, (after, upto): Range<'_>, db: &mut PgConnection) -> sqlx::Result<(i64, Vec<Difference>)> {
        let (rows, are_equal): (i64, bool) =
            sqlx::query_as(safe(&self.sums)).bind(after).bind(upto).fetch_one(&mut *db).await?;
        if are_equal {
            return Ok((rows, Vec::new()));
        }
        let found = sqlx::query_as(safe(&self.differences)).bind(after).bind(upto).fetch_all(db).await?;
        Ok((rows, found))
    }
}

/// The next range.
pub(super) async fn verify(model: &Model, rebuild: &Rebuild, ground: &Ground) -> Result<Done, StepError> {
    let own = shape(model, rebuild)?;
    let written = versions::written(model.name(), &ground.db).await?;
    let Some(active) = written.iter().find(|attached| attached.is_active) else {
        return Err(StepError::Failed(format!("{} has no active version to compare with", model.name())));
    };
    let Some(active_shape) = model.shape(active.version.code) else {
        return Err(StepError::Failed(format!("this build cannot read version {}", active.version)));
    };
    let (active, own) = ((&**active_shape, active.version), (&**own, rebuild.version()));
    let after = rebuild.compare_after.as_deref();
    if after.is_none() {
        // Whoever reads it from now on has plans made for it.
        let analyze = format!("analyze views.{}", name_of(model.name(), own.1));
        sqlx::raw_sql(assert_safe(analyze)).execute(&ground.db).await?;
    }
    let upto = Pair::of(model.name(), active, own, (after, None)).bound(after, &ground.db).await?;
    let range = (after, upto.as_deref());
    let pair = Pair::of(model.name(), active, own, range);
    let (rows, found) = pair.compare(range, &mut *ground.db.acquire().await?).await?;
    let mut tx = ground.db.begin().await?;
    let (name, version, number) = rebuild.key();
    let different = i64::try_from(found.len()).unwrap_or(i64::MAX);
    let mut keys = Vec::new();
    let (mut active_rows, mut own_rows) = (Vec::new(), Vec::new());
    for Difference { key, active_row, own_row } in found {
        keys.push(key);
        active_rows.push(active_row);
        own_rows.push(own_row);
    }
    let query = sqlx::query(KEEP).bind(name).bind(version).bind(number).bind(KEPT);
    query.bind(keys).bind(active_rows).bind(own_rows).execute(&mut *tx).await?;
    let query = sqlx::query(NOTE).bind(name).bind(version).bind(number);
    query.bind(&upto).bind(rows).bind(different).execute(&mut *tx).await?;
    if upto.is_none() {
        rebuild.enter(Phase::Ready, &mut *tx).await?;
    }
    faults::point("rebuild.comparing");
    tx.commit().await?;
    faults::point("rebuild.compared");
    Ok(Done::Some)
}
