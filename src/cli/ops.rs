//! Every operator verb: made from the lists of questions and actions, and a client of the ops listener.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::anyhow;
use clap::{Arg, ArgAction, ArgMatches, Args as _, Command, FromArgMatches as _};
use serde_json::{Map, Value, json};

use super::client::Client;
use super::{output, watch};
use crate::ops::action::Action;
use crate::ops::route::filled;
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
        Ok(made) => send(made, watch::every(chosen), json).await,
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
        // Last, since the arguments bring a description of their own.
        let leaf = leaf(Command::new(last)).about(about).long_about(None);
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
            let example = Q::EXAMPLE.map_or_else(|| format!("ordo {} --json", Q::NAME), str::to_owned);
            let leaf = Q::Args::augment_args(leaf.after_help(format!("Example: {example}")));
            // What has pages is for programs: it is read to its end.
            if Q::PAGES.is_none() { leaf.arg(watch::flag()) } else { leaf }
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

/// What people are shown of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Shown {
    says: Option<&'static str>,
    columns: &'static [&'static str],
}

/// A request to the ops listener.
enum Made {
    Ask {
        path: String,
        query: Vec<(String, String)>,
        shown: Shown,
    },
    /// Page by page: the field that holds them.
    Pages(String, Vec<(String, String)>, &'static str),
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
            self.made = Some(Q::Args::from_arg_matches(self.matches).map_err(Into::into).and_then(|args| {
                let args = serde_json::to_value(args)?;
                let (path, query) = filled(&Q::route(), args.as_object().unwrap_or(&Map::new()));
                Ok(match Q::PAGES {
                    Some(field) => Made::Pages(path, query, field),
                    None => Made::Ask { path, query, shown: Shown { says: Q::SAYS, columns: Q::COLUMNS } },
                })
            }));
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

async fn send(made: Made, again: Option<Duration>, json: bool) -> anyhow::Result<ExitCode> {
    let client = Client::ops()?;
    match made {
        Made::Ask { path, query, shown } => match again {
            None => show(&client.get(&path, &named(&query)).await?, shown, json)?,
            Some(every) => loop {
                let answer = client.get(&path, &named(&query)).await?;
                watch::redraw(json);
                if json {
                    output::json_line(&answer)
                } else {
                    show(&answer, shown, json)?
                }
                tokio::select! {
                    () = tokio::time::sleep(every) => {}
                    _ = tokio::signal::ctrl_c() => break,
                }
            },
        },
        Made::Pages(path, query, field) => pages(&client, &path, query, field).await?,
        Made::Act(path, body) => show(&client.act(&path, &body).await?, Shown::default(), json)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn show(answer: &Value, shown: Shown, json: bool) -> anyhow::Result<()> {
    if json {
        output::json(answer)?;
    } else if let Some(said) = shown.says.and_then(|field| answer[field].as_str()) {
        output::line(said);
    } else {
        let fields = answer.as_object().ok_or_else(|| anyhow!("the answer is no object: {answer}"))?;
        output::answer(fields, shown.columns);
    }
    Ok(())
}

fn named(query: &[(String, String)]) -> Vec<(&str, String)> {
    query.iter().map(|(name, value)| (name.as_str(), value.clone())).collect()
}

/// Prints what every page holds, one JSON line each.
async fn pages(
    client: &Client,
    path: &str,
    mut query: Vec<(String, String)>,
    field: &'static str,
) -> anyhow::Result<()> {
    loop {
        let answer = client.get(path, &named(&query)).await?;
        let things = answer[field].as_array().ok_or_else(|| anyhow!("the answer has no {field}: {answer}"))?;
        things.iter().for_each(output::json_line);
        let Some(next) = answer["next"].as_str() else { return Ok(()) };
        query.retain(|(name, _)| name != "after");
        query.push(("after".to_owned(), next.to_owned()));
    }
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
    fn a_verb_says_what_it_is_for_and_not_what_its_arguments_are() {
        let command = extend(Command::new("ordo"));
        let verb = command.find_subcommand("alarms").and_then(|group| group.find_subcommand("list"));
        let about = verb.and_then(Command::get_about).map(ToString::to_string);
        assert_eq!(about.as_deref(), Some(<questions::Alarms as Question>::ABOUT));
    }

    #[test]
    fn flags_of_a_question_are_its_query() {
        let words = ["ordo", "alarms", "list", "--limit", "7"];
        let Made::Ask { path, query, .. } = made(&words) else { panic!("a question") };
        assert_eq!(path, "/ops/v1/alarms");
        assert!(query.contains(&("limit".to_owned(), "7".to_owned())), "{query:?}");
    }

    #[test]
    fn a_question_can_be_watched_and_an_action_cannot() {
        let every = |words: &[&str]| watch::every(chosen(&parse(words)).expect("a verb").1);
        assert_eq!(every(&["ordo", "projections", "list"]), None);
        assert_eq!(every(&["ordo", "projections", "list", "--watch"]), Some(Duration::from_secs(2)));
        assert_eq!(every(&["ordo", "projections", "show", "stock", "--watch=5"]), Some(Duration::from_secs(5)));
        let acts = ["ordo", "projections", "rebuild", "stock", "--reason", "x", "--watch"];
        assert!(extend(Command::new("ordo")).try_get_matches_from(acts).is_err());
    }

    #[test]
    fn what_the_path_of_a_question_names_is_no_query() {
        let id = "01993b5e-0000-7000-8000-000000000000";
        let Made::Ask { path, query, shown } = made(&["ordo", "order", "why", id]) else { panic!("a question") };
        assert_eq!((path, query, shown.says), (format!("/ops/v1/orders/{id}/why"), Vec::new(), Some("sentence")));
    }

    #[test]
    fn an_action_sends_its_arguments_its_reason_and_whether_it_is_a_dry_run() {
        let id = "01993b5e-0000-7000-8000-000000000000";
        let words = ["ordo", "alarms", "acknowledge", id, "--reason", "mended", "--dry-run"];
        let Made::Act(path, body) = made(&words) else { panic!("an action") };
        assert_eq!(path, "/ops/v1/alarms/acknowledge");
        assert_eq!(body, json!({"args": {"alarmIds": [id]}, "reason": "mended", "dryRun": true}));
    }

    #[test]
    fn filters_of_letters_are_flags_of_questions_and_actions() {
        let Made::Ask { path, query, .. } = made(&["ordo", "dlq", "list", "--event-type", "order.created"]) else {
            panic!("a question")
        };
        assert_eq!(path, "/ops/v1/dlq");
        assert!(query.contains(&("eventType".to_owned(), "order.created".to_owned())), "{query:?}");
        assert!(query.contains(&("state".to_owned(), "open".to_owned())), "{query:?}");

        let words = ["ordo", "dlq", "replay", "--consumer", "inventory", "--patch", "[]", "--reason", "mended"];
        let Made::Act(path, body) = made(&words) else { panic!("an action") };
        assert_eq!(path, "/ops/v1/dlq/replay");
        let args = json!({"letterIds": [], "consumer": "inventory", "patch": [], "perSecond": 10.0});
        assert_eq!(body, json!({"args": args, "reason": "mended", "dryRun": false}));
        assert!(matches!(made(&["ordo", "dlq", "export"]), Made::Pages(_, _, "letters")));
    }
}
