//! `--watch` of every question: the answer again and again, redrawn in place on a terminal.

use std::io::{IsTerminal as _, stdout};
use std::time::Duration;

use clap::{Arg, ArgMatches, value_parser};

use super::output;

/// Seconds between two looks unless told otherwise.
const SECONDS: &str = "2";
/// Puts the cursor home and clears what is below.
const REDRAW: &str = "\x1b[H\x1b[2J";

/// The flag.
pub(super) fn flag() -> Arg {
    Arg::new("watch")
        .long("watch")
        .value_name("SECONDS")
        .num_args(0..=1)
        .require_equals(true)
        .default_missing_value(SECONDS)
        .value_parser(value_parser!(u64).range(1..=3_600))
        .help("Ask again every so many seconds, until ctrl-c; with --json one line an answer [2 unless told]")
}

/// How often is asked, if more than once.
pub(super) fn every(matches: &ArgMatches) -> Option<Duration> {
    let seconds = matches.try_get_one::<u64>("watch").ok().flatten();
    seconds.map(|seconds| Duration::from_secs(*seconds))
}

/// Makes room for the next answer: on a terminal the last one goes.
pub(super) fn redraw(json: bool) {
    if json {
        return;
    }
    if stdout().is_terminal() {
        output::line(REDRAW);
    } else {
        output::line("");
    }
}
