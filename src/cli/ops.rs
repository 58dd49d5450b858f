//! Every operator verb: made from the lists of questions and actions, and a client of the ops listener.

use std::process::ExitCode;

use anyhow::anyhow;
use clap::{Arg, ArgAction, ArgMatches, Args as _, Command, FromArgMatches as _};
use serde_json::{Value, json};

use super::client::Client;
use super::output;
use crate::ops::action::Action;
use crate::ops::{Question, actions, questions, route_of};

/// Adds every verb to the command line.
pub(super) fn extend(command: Command) -> Command {
    let mut verbs = Verbs { command };
    questions::each(&mut verbs);
    actions::each(&mut verbs);
    verbs.command
}

/// Runs the verb that was chosen, if one was; `None` if the command is none of them.
pub(super) async fn run(matches: &ArgMatches, json: bool) -> Option<anyhow::Result<ExitCode>> {
    let (name, chosen) = chosen(matches)?;
    let mut call = Call { name: &name, matches: chosen, made: None };
    questions::each(&mut call);
    actions::each(&mut call);
    Some(match call.made? {
        Ok(made) => send(made, json).await,
        Err(error) => Err(error),
    })
}

/// The words of the innermost subcommand, and its flags.
fn chosen(matches: &ArgMatches) -> Option<(String, &ArgMatches)> {
    let (first, mut inner) = matches.subcommand()?;
    let mut words = vec![first];
    while let Some((word, below)) = inner.subcommand() {
        words.push(word);
        inner = below;
    }
    Some((words.join(" "), inner))
}

struct Verbs {
    command: Command,
}

impl Verbs {
    fn add(&mut self, name: &'static str, about: &'static str, leaf: impl FnOnce(Command) -> Command) {
        let mut words: Vec<&'static str> = name.split(' ').collect();
        let last = words.pop().unwrap_or(name);
        let leaf = leaf(Command::new(last).about(about));
        let command = std::mem::take(&mut self.command);
        self.command = match words.as_slice() {
            [] => command.subcommand(leaf),
            [group] if command.find_subcommand(group).is_some() => {
                command.mut_subcommand(group, |below| below.subcommand(leaf))
            }
            [group, ..] => command.subcommand(
                Command::new(*group)
                    .about(format!("What operators ask and do about {group}"))
                    .subcommand_required(true)
                    .arg_required_else_help(true)
                    .subcommand(leaf),
            ),
        };
    }
}

impl questions::Visitor for Verbs {
    fn visit<Q: Question>(&mut self) {
        self.add(Q::NAME, Q::ABOUT, |leaf| {
            Q::Args::augment_args(leaf.after_help(format!("Example: ordo {} --json", Q::NAME)))
        });
    }
}

impl actions::Visitor for Verbs {
    fn visit<A: Action>(&mut self) {
        self.add(A::NAME, A::ABOUT, |leaf| {
            A::Args::augment_args(leaf)
                .arg(Arg::new("reason").long("reason").required(true).help("Why: kept with the audit"))
                .arg(Arg::new("dry-run").long("dry-run").action(ArgAction::SetTrue).help("Try it, show it, undo it"))
                .arg(Arg::new("plan").long("plan").value_name("PLAN_ID").help("Execute what a dry run has frozen"))
                .after_help(format!("Example: {}", A::EXAMPLE))
        });
    }
}

/// A request to the ops listener.
enum Made {
    Ask(String, Vec<(String, String)>),
    Act(String, Value),
}

struct Call<'a> {
    name: &'a str,
    matches: &'a ArgMatches,
    made: Option<anyhow::Result<Made>>,
}

impl questions::Visitor for Call<'_> {
    fn visit<Q: Question>(&mut self) {
        if Q::NAME == self.name {
            self.made = Some(
                Q::Args::from_arg_matches(self.matches)
                    .map_err(Into::into)
                    .and_then(|args| Ok(Made::Ask(route_of(Q::NAME), query(&serde_json::to_value(args)?)))),
            );
        }
    }
}

impl actions::Visitor for Call<'_> {
    fn visit<A: Action>(&mut self) {
        if A::NAME == self.name {
            let body = |args: A::Args| {
                let mut body = json!({
                    "args": args,
                    "reason": self.matches.get_one::<String>("reason"),
                    "dryRun": self.matches.get_flag("dry-run"),
                });
                if let Some(plan) = self.matches.get_one::<String>("plan") {
                    body["planId"] = json!(plan);
                }
                Made::Act(route_of(A::NAME), body)
            };
            self.made = Some(A::Args::from_arg_matches(self.matches).map(body).map_err(Into::into));
        }
    }
}

/// Flags as query parameters: what was not said is left out.
fn query(args: &Value) -> Vec<(String, String)> {
    let said = args.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
    said.map(|(name, value)| (name.clone(), value.as_str().map_or_else(|| value.to_string(), str::to_owned))).collect()
}

async fn send(made: Made, json: bool) -> anyhow::Result<ExitCode> {
    let client = Client::ops()?;
    let answer = match made {
        Made::Ask(path, query) => {
            let query: Vec<(&str, String)> = query.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
            client.get(&path, &query).await?
        }
        Made::Act(path, body) => client.act(&path, &body).await?,
    };
    if json {
        output::json(&answer)?;
    } else {
        let fields = answer.as_object().ok_or_else(|| anyhow!("the answer is no object: {answer}"))?;
        output::answer(fields);
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> ArgMatches {
        extend(Command::new("ordo").arg(Arg::new("json").long("json").action(ArgAction::SetTrue)))
            .try_get_matches_from(words)
            .unwrap_or_else(|error| panic!("{error}"))
    }

    fn made(words: &[&str]) -> Made {
        let matches = parse(words);
        let (name, inner) = chosen(&matches).expect("a verb");
        let mut call = Call { name: &name, matches: inner, made: None };
        questions::each(&mut call);
        actions::each(&mut call);
        call.made.expect("a known verb").expect("good flags")
    }

    #[test]
    fn the_command_line_is_well_formed() {
        extend(Command::new("ordo")).debug_assert();
    }

    #[test]
    fn flags_of_a_question_are_its_query() {
        let Made::Ask(path, query) = made(&["ordo", "alarms", "list", "--limit", "7"]) else { panic!("a question") };
        assert_eq!(path, "/ops/v1/alarms");
        assert!(query.contains(&("limit".to_owned(), "7".to_owned())), "{query:?}");
    }

    #[test]
    fn an_action_sends_its_arguments_its_reason_and_whether_it_is_a_dry_run() {
        let id = "01993b5e-0000-7000-8000-000000000000";
        let words = ["ordo", "alarms", "acknowledge", id, "--reason", "mended", "--dry-run"];
        let Made::Act(path, body) = made(&words) else { panic!("an action") };
        assert_eq!(path, "/ops/v1/alarms/acknowledge");
        assert_eq!(body, json!({"args": {"alarmIds": [id]}, "reason": "mended", "dryRun": true}));
    }
}
