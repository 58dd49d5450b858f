//! `projections show`: the versions of one read model, and what can be done about them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ops::read_model::Version;
use crate::ops::{Context, Question, Unanswered};
use crate::read_model::rebuild::control;
use crate::subscription::Objection;

/// Which read model.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Args {
    /// Its name, from `projections list`.
    pub projection: String,
}

/// One read model.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Answer {
    /// Its versions, the active one first.
    pub versions: Vec<Version>,
}

/// The question itself.
#[derive(Debug)]
pub struct Projection;

impl Question for Projection {
    const NAME: &'static str = "projections show";
    const ABOUT: &'static str = "The versions of one read model, how its rebuild goes, and what can be done next";
    const EXAMPLE: Option<&'static str> = Some("ordo projections show order_view");
    const PATH: Option<&'static str> = Some("projections/{projection}");
    type Args = Args;
    type Answer = Answer;

    async fn ask(Args { projection }: Args, context: &Context) -> Result<Answer, Unanswered> {
        known(&projection, context).await?;
        let seen = control::seen(Some(&projection), &context.db).await?;
        Ok(Answer { versions: seen.iter().map(Version::of).collect() })
    }
}

/// Whether there is such a read model.
///
/// # Errors
/// [`Unanswered::NotFound`], with the right names.
pub(super) async fn known(projection: &str, context: &Context) -> Result<(), Unanswered> {
    control::named(projection, &context.db).await.map_err(|objection| match objection {
        Objection::Postgres(error) => error.into(),
        objection => Unanswered::NotFound(objection.to_string()),
    })
}
