//! How every action is done: plan, then either show and freeze it, or execute it and leave an audit row, in one
//! transaction. A dry run does all of it and rolls back.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::PgPool;
use uuid::Uuid;

use super::Context;
use super::access::Caller;
use super::action::{Action, By, Refused};
use super::audit::{self, Operation};
use crate::clock;
use crate::read_model::Model;

const FREEZE: &str = include_str!("sql/freeze_plan.sql");
const TAKE: &str = include_str!("sql/take_plan.sql");

/// Beyond so many things a page has the number typed.
const TYPED: usize = 50;
/// Longest reason, in bytes.
const REASON_BYTES: usize = 1_000;

/// What an operator sends.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Wanted<A> {
    /// To what.
    pub args: A,
    /// Why: kept with the audit, 3 to 1,000 bytes.
    pub reason: String,
    /// Try it, say what it would do, and undo it.
    #[serde(default)]
    pub dry_run: bool,
    /// Execute the plan a dry run has frozen under this id, and not a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan_id: Option<Uuid>,
    /// How many things somebody has typed that it touches; refused if it is another number. Needed of nobody but pages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirm: Option<usize>,
}

/// What came of it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Done<P, O> {
    /// The audit row; none after a dry run.
    pub operation_id: Option<Uuid>,
    /// The plan a dry run has frozen, to be executed within an hour.
    pub plan_id: Option<Uuid>,
    /// Whether it was only tried.
    pub dry_run: bool,
    /// How many things it touches.
    pub touches: usize,
    /// Whether a page must have that number typed before it is done.
    pub must_type: bool,
    /// What it touches.
    pub plan: P,
    /// What it did, or would do.
    pub outcome: O,
}

/// Plans and executes, or tries, at the node of this name and with the read models of its build.
///
/// # Errors
/// [`Refused`]; nothing was changed then.
pub async fn run<A: Action>(
    wanted: Wanted<A::Args>,
    caller: &Caller,
    (node, models): (&str, &[Model]),
    db: &PgPool,
) -> Result<Done<A::Plan, A::Outcome>, Refused> {
    let reason = checked(&wanted.reason)?;
    let args = json(&wanted.args)?;
    let mut tx = db.begin().await?;
    let plan = match wanted.plan_id {
        Some(id) => {
            let frozen: Option<String> =
                sqlx::query_scalar(TAKE).bind(id).bind(A::NAME).bind(&caller.name).fetch_optional(&mut *tx).await?;
            let frozen = frozen.ok_or_else(|| {
                Refused::NotFound(format!("there is no plan {id} of yours for {}; make one with dryRun", A::NAME))
            })?;
            serde_json::from_str(&frozen).map_err(|error| sqlx::Error::Decode(Box::new(error)))?
        }
        None => A::plan(wanted.args, &mut tx).await?,
    };
    let touches = A::touches(&plan);
    if wanted.confirm.is_some_and(|typed| typed != touches) {
        return Err(Refused::NotNow(format!("it touches {touches}, which is not the number that was typed")));
    }
    let must_type = touches > TYPED;
    let frozen = json(&plan)?;
    let shown: A::Plan = serde_json::from_str(&frozen).map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
    let outcome = A::execute(plan, By { caller: &caller.name, reason, models }, &mut tx).await?;
    if wanted.dry_run {
        tx.rollback().await?;
        let plan_id = clock::new_id();
        sqlx::query(FREEZE).bind(plan_id).bind(&caller.name).bind(A::NAME).bind(args).bind(frozen).execute(db).await?;
        let plan_id = Some(plan_id);
        return Ok(Done { operation_id: None, plan_id, dry_run: true, touches, must_type, plan: shown, outcome });
    }
    let operation = Operation {
        operation_id: clock::new_id(),
        at: clock::now(),
        caller: caller.name.clone(),
        role: caller.role.to_string(),
        action: A::NAME.to_owned(),
        reason: reason.to_owned(),
        args,
        plan: frozen,
        outcome: json(&outcome)?,
        node: node.to_owned(),
    };
    audit::write(&operation, &mut tx).await?;
    tx.commit().await?;
    tracing::info!(action = A::NAME, by = caller.name, reason, operation = %operation.operation_id, "operator action");
    let operation_id = Some(operation.operation_id);
    Ok(Done { operation_id, plan_id: None, dry_run: false, touches, must_type, plan: shown, outcome })
}

/// Why somebody could not do this now, if so: plans it, undoes what that locked, and does nothing. Without arguments only
/// whether they may at all.
///
/// # Errors
/// What Postgres says.
pub async fn objection<A: Action>(args: Option<Value>, context: &Context) -> sqlx::Result<Option<String>> {
    let role = context.caller.role;
    if role < A::ROLE {
        return Ok(Some(format!("it needs the role {}, and yours is {role}", A::ROLE)));
    }
    let Some(args) = args else {
        return Ok(A::is_open(context).err().map(|refused| refused.to_string()));
    };
    let args = match serde_json::from_value(args) {
        Ok(args) => args,
        Err(error) => return Ok(Some(format!("its arguments cannot be read: {error}"))),
    };
    let planned = match A::is_open(context) {
        Ok(()) => {
            let mut tx = context.db.begin().await?;
            let planned = A::plan(args, &mut tx).await;
            tx.rollback().await?;
            planned.map(|_| ())
        }
        Err(refused) => Err(refused),
    };
    match planned {
        Ok(()) => Ok(None),
        Err(Refused::Postgres(error)) => Err(error),
        Err(refused) => Ok(Some(refused.to_string())),
    }
}

fn checked(reason: &str) -> Result<&str, Refused> {
    let reason = reason.trim();
    if !(3..=REASON_BYTES).contains(&reason.len()) || reason.chars().any(char::is_control) {
        return Err(Refused::Invalid(format!(
            "a reason has 3 to {REASON_BYTES} bytes and no control characters: it is what the next one on call reads"
        )));
    }
    Ok(reason)
}

fn json(value: &impl Serialize) -> Result<String, sqlx::Error> {
    serde_json::to_string(value).map_err(|error| sqlx::Error::Encode(Box::new(error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_a_reason() {
        assert_eq!(checked("  the disk is full ").unwrap(), "the disk is full");
        for bad in ["", "ok", "a\nb", &"x".repeat(REASON_BYTES + 1)] {
            assert!(checked(bad).is_err(), "{bad:?}");
        }
    }
}
