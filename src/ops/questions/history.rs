//! `history`: figures of the last minutes, hours or day, as this process has seen them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ops::{Context, Question, Unanswered};
use crate::telemetry::rings::{self, Point, Span};

/// Which figures.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(default, deny_unknown_fields)]
pub struct Args {
    /// Only series whose name begins so: `appended`, `behind/inventory` …
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub series: Option<String>,
    /// How far back: `10m`, `2h` or `24h`.
    #[arg(long, default_value_t)]
    pub span: Span,
}

/// One figure over time.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Series {
    /// Its name: `appended` and `published` in events a second, `passed/<subscription>` in positions a second,
    /// `behind/<subscription>` in positions.
    pub name: String,
    /// (Unix seconds, value), oldest first. A step without a point was not seen.
    pub points: Vec<Point>,
}

/// Figures.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Answer {
    /// Seconds of one point.
    pub step: i64,
    /// By name.
    pub series: Vec<Series>,
}

/// The question itself.
#[derive(Debug)]
pub struct History;

impl Question for History {
    const NAME: &'static str = "history";
    const ABOUT: &'static str = "Figures of the last minutes, hours or day, as this process has seen them";
    const EXAMPLE: Option<&'static str> = Some("ordo history --series appended --span 2h --json");
    type Args = Args;
    type Answer = Answer;

    async fn ask(Args { series, span }: Args, _context: &Context) -> Result<Answer, Unanswered> {
        let series = rings::series(series.as_deref().unwrap_or_default(), span);
        let series = series.into_iter().map(|(name, points)| Series { name, points }).collect();
        Ok(Answer { step: span.step(), series })
    }
}
