//! `actions`: what can be done, by whom, and why not now.

use futures::future::BoxFuture;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ops::access::Role;
use crate::ops::action::Action;
use crate::ops::actions::{Visitor, each};
use crate::ops::{Context, Question, Unanswered, plan};

/// Most actions asked about at once.
const MOST: usize = 20;

/// Which actions.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(default, deny_unknown_fields)]
pub struct Args {
    /// Whether these could be done now, as JSON: `[{"action": "consumers pause", "args": {"consumer": "inventory"}}]`, and
    /// without `args` whether you may at all; every action there is if left out.
    #[arg(long, value_name = "JSON")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked: Option<String>,
}

/// One action somebody might do.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    action: String,
    args: Option<Value>,
}

/// One action, for whoever asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Allowed {
    /// Its name.
    pub action: String,
    /// What it does.
    pub about: &'static str,
    /// Who may do it.
    pub role: Role,
    /// Why it could not be done now; none if it could.
    pub why: Option<String>,
}

/// Actions.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Answer {
    /// In the order asked, or that of `--help`.
    pub actions: Vec<Allowed>,
}

/// The question itself.
#[derive(Debug)]
pub struct Actions;

impl Question for Actions {
    const NAME: &'static str = "actions";
    const ABOUT: &'static str = "What can be done, by whom, and why not now";
    const COLUMNS: &'static [&'static str] = &["/action", "/role", "/about", "/why"];
    type Args = Args;
    type Answer = Answer;

    async fn ask(Args { asked }: Args, context: &Context) -> Result<Answer, Unanswered> {
        let Some(asked) = asked else {
            let mut all = All { context, actions: Vec::new() };
            each(&mut all);
            return Ok(Answer { actions: all.actions });
        };
        let asked: Vec<Asked> =
            serde_json::from_str(&asked).map_err(|error| Unanswered::Invalid(format!("asked: {error}")))?;
        if asked.len() > MOST {
            return Err(Unanswered::Invalid(format!("asked: {MOST} actions at most, not {}", asked.len())));
        }
        let mut actions = Vec::with_capacity(asked.len());
        for Asked { action, args } in asked {
            let mut one = One { name: &action, args, context, found: None };
            each(&mut one);
            let found = one.found.ok_or_else(|| {
                Unanswered::Invalid(format!("asked: there is no action {action:?}; `ordo actions` shows them"))
            })?;
            actions.push(found.await?);
        }
        Ok(Answer { actions })
    }
}

struct All<'a> {
    context: &'a Context,
    actions: Vec<Allowed>,
}

impl Visitor for All<'_> {
    fn visit<A: Action>(&mut self) {
        let role = self.context.caller.role;
        let why = (role < A::ROLE).then(|| format!("it needs the role {}, and yours is {role}", A::ROLE));
        let why = why.or_else(|| A::is_open(self.context).err().map(|refused| refused.to_string()));
        self.actions.push(Allowed { action: A::NAME.to_owned(), about: A::ABOUT, role: A::ROLE, why });
    }
}

struct One<'a> {
    name: &'a str,
    args: Option<Value>,
    context: &'a Context,
    found: Option<BoxFuture<'a, sqlx::Result<Allowed>>>,
}

impl<'a> Visitor for One<'a> {
    fn visit<A: Action>(&mut self) {
        if A::NAME != self.name {
            return;
        }
        let (args, context): (_, &'a Context) = (self.args.take(), self.context);
        self.found = Some(Box::pin(async move {
            let why = plan::objection::<A>(args, context).await?;
            Ok(Allowed { action: A::NAME.to_owned(), about: A::ABOUT, role: A::ROLE, why })
        }));
    }
}
