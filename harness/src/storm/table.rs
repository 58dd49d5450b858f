//! A report for people: on the terminal and in a document are the same lines.

use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, ensure};

use super::report::Report;
use super::rules::PROMISES;

/// Where a document shows the last storm of a scenario.
fn marks(scenario: &str) -> (String, String) {
    let mark = |word: &str| format!("<!-- last storm of {scenario}: {word} -->");
    (mark("begin"), mark("end"))
}

/// Markdown.
pub fn of(report: &Report) -> String {
    let mut text = String::new();
    // A String takes whatever is written.
    _ = write_all(report, &mut text);
    text
}

fn write_all(report: &Report, text: &mut String) -> std::fmt::Result {
    writeln!(
        text,
        "Seed {}, {}, scenario {}: {:.0} s on {} cores, {} processes, {} orders a second. Before the first \
         fault an order was decided within {:.2} s; afterwards {:.1} s are allowed.\n",
        report.seed,
        report.at.format("%Y-%m-%d %H:%M UTC"),
        report.scenario,
        report.seconds,
        report.cores,
        report.processes,
        report.rate,
        report.ordinary_wait,
        report.allowed_wait
    )?;
    writeln!(text, "| fault | cycles | accepts again after, s | confirms again after, s | caught up after, s |")?;
    writeln!(text, "|---|---:|---:|---:|---:|")?;
    for kind in report.kinds.iter().filter(|kind| kind.cycles > 0) {
        let [accepted, confirmed, caught_up] =
            [kind.slowest.accepted, kind.slowest.confirmed, kind.slowest.caught_up].map(seconds);
        let cycles = match kind.followed {
            0 => kind.cycles.to_string(),
            followed => format!("{} ({followed} not awaited)", kind.cycles),
        };
        writeln!(text, "| {} | {cycles} | {accepted} | {confirmed} | {caught_up} |", kind.name)?;
    }
    writeln!(text, "\nThe longest of each, from when the fault was healed.\n")?;
    figures(report, text)?;
    writeln!(text)?;
    for (promise, _) in PROMISES {
        let of_it: Vec<_> = report.verdicts.iter().filter(|verdict| verdict.promise == promise).collect();
        let checked: u64 = of_it.iter().map(|verdict| verdict.checked).sum();
        let broken: Vec<_> = of_it.iter().filter(|verdict| !verdict.holds()).collect();
        if broken.is_empty() {
            writeln!(text, "- {promise} holds ({} rules, looked at {checked} times)", of_it.len())?;
        }
        for verdict in broken {
            writeln!(text, "- **{promise} BROKEN**: {} ({} of {})", verdict.rule, verdict.violated, verdict.checked)?;
            for offender in &verdict.offenders {
                writeln!(text, "  - {}", offender.replace('\n', "\n    "))?;
            }
        }
    }
    Ok(())
}

fn figures(report: &Report, text: &mut String) -> std::fmt::Result {
    let share = |count: u64| 100.0 * count as f64 / report.attempts.max(1) as f64;
    let lines = [
        ("processes killed", report.kills().to_string()),
        ("events checked", report.events.to_string()),
        ("requests", format!("{}, {} accepted", report.attempts, report.accepted)),
        ("answered 503 with Retry-After", format!("{:.2} %", share(report.refused_for_now))),
        ("not answered (refused, cut, timed out)", format!("{:.2} %", share(report.unanswered))),
        ("records that stand in Kafka more than once", report.records_repeated.to_string()),
        ("repeats that consumers absorbed, at least", format!("{:.0}", report.repeats_absorbed)),
        ("events a topic lacked, taken from the log", format!("{:.0}", report.filled_from_log)),
        ("batches sent again after a lost outcome", format!("{:.0}", report.batches_resent)),
        ("actors started again", format!("{:.0}", report.restarts)),
        ("most memory of a process", format!("{:.0} MiB", report.most_memory_mib)),
    ];
    writeln!(text, "| | |\n|---|---:|")?;
    for (what, value) in lines {
        writeln!(text, "| {what} | {value} |")?;
    }
    for (what, value) in &report.figures {
        writeln!(text, "| {what} | {value} |")?;
    }
    if report.cut_lines > 0 {
        writeln!(text, "\nThe histories were cut short in {} lines, which were not checked.", report.cut_lines)?;
    }
    Ok(())
}

fn seconds(value: Option<f64>) -> String {
    value.map_or("–".into(), |value| format!("{value:.1}"))
}

/// Replaces what stands between a scenario's two marks of a document.
pub fn put_into(document: &Path, scenario: &str, table: &str) -> anyhow::Result<()> {
    let name = document.display();
    let before = std::fs::read_to_string(document).with_context(|| format!("could not read {name}"))?;
    let (begin, end) = marks(scenario);
    let after =
        replaced(&before, scenario, table).with_context(|| format!("{name} lacks the lines {begin} and {end}"))?;
    std::fs::write(document, after).with_context(|| format!("could not write {name}: free some space"))
}

fn replaced(document: &str, scenario: &str, table: &str) -> anyhow::Result<String> {
    let (begin, end) = marks(scenario);
    let (head, rest) = document.split_once(&begin).context("no begin")?;
    let (_, tail) = rest.split_once(&end).context("no end")?;
    ensure!(!tail.contains(&begin), "more than one begin");
    Ok(format!("{head}{begin}\n\n{}\n\n{end}{tail}", table.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_between_the_marks_is_replaced_however_often() {
        let ([begin, end], [begin_other, end_other]) = (marks("one").into(), marks("other").into());
        let other = format!("{begin_other}\nkept\n{end_other}\n");
        let document = format!("# Title\n{begin}\nold\n{end}\n{other}after\n");
        let once = replaced(&document, "one", "new").unwrap();
        assert_eq!(once, format!("# Title\n{begin}\n\nnew\n\n{end}\n{other}after\n"));
        assert_eq!(replaced(&once, "one", "new").unwrap(), once);
    }

    #[test]
    fn a_document_without_marks_is_left_alone() {
        assert!(replaced("# Title\n", "one", "new").is_err());
    }
}
