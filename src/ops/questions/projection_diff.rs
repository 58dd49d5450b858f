//! `projections diff`: the rows in which a new version differs from the active one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::projection::known;
use crate::ops::{Context, Question, Unanswered};
use crate::read_model::rebuild::control;
use crate::subscription::models::ModelVersion;

/// Which rows.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Args {
    /// Name of the read model, from `projections list`.
    pub projection: String,
    /// Most rows: 1 to 1,000.
    #[arg(long, default_value_t = 20)]
    #[serde(default = "twenty")]
    #[schemars(range(min = 1, max = 1_000))]
    pub limit: i64,
    /// Only rows after this key.
    #[arg(long)]
    #[serde(default)]
    pub after: Option<String>,
}

fn twenty() -> i64 {
    20
}

/// A row that differs.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Row {
    /// Its key.
    pub key: String,
    /// As the active version has it; null if it has none.
    pub active: Option<Value>,
    /// As the new version has it.
    pub new: Option<Value>,
}

/// What differs.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// The version that was compared; none if none was.
    pub version: Option<String>,
    /// Rows compared.
    pub rows_compared: i64,
    /// Rows that differed.
    pub rows_different: i64,
    /// The first of them, by key.
    pub rows: Vec<Row>,
}

/// The question itself.
#[derive(Debug)]
pub struct ProjectionDiff;

impl Question for ProjectionDiff {
    const NAME: &'static str = "projections diff";
    const ABOUT: &'static str = "The rows in which a rebuilt version differs from the active one";
    const EXAMPLE: Option<&'static str> = Some("ordo projections diff order_view --limit 5");
    const PATH: Option<&'static str> = Some("projections/{projection}/diff");
    const COLUMNS: &'static [&'static str] = &["/key", "/active", "/new"];
    type Args = Args;
    type Answer = Answer;

    async fn ask(args: Args, context: &Context) -> Result<Answer, Unanswered> {
        let Args { projection, limit, after } = args;
        known(&projection, context).await?;
        if !(1..=1_000).contains(&limit) {
            return Err(Unanswered::Invalid("limit is 1 to 1,000".to_owned()));
        }
        let seen = control::seen(Some(&projection), &context.db).await?;
        let compared = seen.iter().filter(|version| version.state == "attached" && version.phase.is_some());
        let Some(newest) = compared.max_by_key(|version| version.created_at) else {
            return Ok(Answer { version: None, rows_compared: 0, rows_different: 0, rows: Vec::new() });
        };
        let version = ModelVersion::of(newest.version, newest.number);
        let rows = control::differences(&projection, version, after.as_deref(), limit, &context.db).await?;
        Ok(Answer {
            version: Some(version.to_string()),
            rows_compared: newest.rows_compared.unwrap_or(0),
            rows_different: newest.rows_different.unwrap_or(0),
            rows: rows.into_iter().map(|row| Row { key: row.key, active: row.active_row, new: row.own_row }).collect(),
        })
    }
}
