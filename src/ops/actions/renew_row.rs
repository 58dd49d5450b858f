//! `projections renew`: one row made anew from its events, in place.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

use crate::ops::action::{Action, By, Refused};
use crate::read_model::rebuild::{control, one_row};

/// Which row of which read model.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Args {
    /// Name of the read model, from `projections list`.
    pub projection: String,
    /// The row's key, such as an order's id.
    #[arg(long)]
    pub key: String,
}

/// What it did.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// The stream that the row is folded from.
    pub stream: String,
    /// Events folded: those that the live model has come to.
    pub events: usize,
    /// Versions whose row was not what its events come to.
    pub changed: Vec<String>,
    /// In words.
    pub said: String,
}

/// The action itself.
#[derive(Debug)]
pub struct RenewRow;

impl Action for RenewRow {
    const NAME: &'static str = "projections renew";
    const ABOUT: &'static str = "Make one row anew from its events, in place";
    const EXAMPLE: &'static str =
        "ordo projections renew order_view --key 01993b5e-0000-7000-8000-000000000000 --reason 'looks wrong'";
    type Args = Args;
    type Plan = Args;
    type Outcome = Outcome;

    async fn plan(args: Args, tx: &mut PgConnection) -> Result<Args, Refused> {
        control::named(&args.projection, tx).await?;
        Ok(args)
    }

    async fn execute(Args { projection, key }: Args, by: By<'_>, tx: &mut PgConnection) -> Result<Outcome, Refused> {
        let model = by.models.iter().find(|model| model.name() == projection);
        let model =
            model.ok_or_else(|| Refused::NotNow(format!("this build has no {projection}: ask one that has")))?;
        let one_row::Renewed { stream_id, events, changed, versions } = one_row::renew(model, &key, tx).await?;
        let versions = versions.join(" and ");
        let said = match changed.as_slice() {
            [] => format!("the row was what the {events} events of {stream_id} come to, in version {versions}"),
            wrong => format!(
                "the row was not what the {events} events of {stream_id} come to in version {}, and is now; if nobody has \
                 touched it by hand, others may be wrong, too: `ordo projections rebuild {projection}` compares them all",
                wrong.join(" and ")
            ),
        };
        Ok(Outcome { stream: stream_id, events, changed, said })
    }
}
