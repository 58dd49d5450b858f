//! Processor time of a process and its children, from /proc.

use std::fs;

use anyhow::Context;

/// Kernel ticks a second, as /proc counts: 100 on every Linux there is.
const TICKS: f64 = 100.0;

/// Milliseconds of processor time so far: the process, its ended children, and its living ones. Postgres' backends are
/// children that come and go: an ended one's time moves to the postmaster's children time.
pub fn milliseconds(pid: u32) -> anyhow::Result<f64> {
    let own = stat(pid).with_context(|| format!("process {pid} is gone: see its log"))?;
    let mut ticks = own.user + own.system + own.children;
    for entry in fs::read_dir("/proc")?.flatten() {
        let Some(child) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // A process may end while it is looked at.
        if let Ok(stat) = stat(child)
            && stat.parent == pid
        {
            ticks += stat.user + stat.system;
        }
    }
    Ok(ticks as f64 * 1_000.0 / TICKS)
}

struct Stat {
    parent: u32,
    user: u64,
    system: u64,
    children: u64,
}

fn stat(pid: u32) -> anyhow::Result<Stat> {
    parse(&fs::read_to_string(format!("/proc/{pid}/stat"))?).context("an unknown form of /proc/…/stat")
}

/// The name of a process stands in parentheses and may hold anything, so the fields are counted from the last one.
fn parse(text: &str) -> Option<Stat> {
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    Some(Stat {
        parent: u32::try_from(number(1)?).ok()?,
        user: number(11)?,
        system: number(12)?,
        children: number(13)? + number(14)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_spaces_and_parentheses() {
        let text = "42 (post) (gres) S 7 42 42 0 -1 4194304 1 2 3 4 100 20 3 4 20 0 1 0 100 1000 10";
        let stat = parse(text).unwrap();
        assert_eq!((stat.parent, stat.user, stat.system, stat.children), (7, 100, 20, 7));
    }

    #[test]
    fn this_process_has_used_some_time() {
        assert!(milliseconds(std::process::id()).unwrap() >= 0.0);
    }
}
