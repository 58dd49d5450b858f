//! Processor time of a server with all its processes, from `/proc`.

use std::collections::HashMap;

use anyhow::Context;

/// Linux shows times in hundredths of a second (USER_HZ) on every architecture that this runs on.
const MILLIS_PER_TICK: f64 = 10.0;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Times {
    parent: u32,
    own: u64,
    /// Of children that ended and were waited for, and of theirs.
    ended: u64,
}

/// A moment's view of all processes.
pub struct Processes(HashMap<u32, Times>);

impl Processes {
    pub fn now() -> anyhow::Result<Self> {
        let entries = std::fs::read_dir("/proc").context("could not read /proc: the bench needs Linux")?;
        let times = entries.filter_map(|entry| {
            let pid = entry.ok()?.file_name().to_str()?.parse().ok()?;
            // A process may end between the listing and this; its time is then in its parent's.
            Some((pid, parse(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)?))
        });
        Ok(Self(times.collect()))
    }

    /// Of a process, its living descendants, and whatever of them has ended.
    pub fn tree_millis(&self, root: u32) -> anyhow::Result<f64> {
        let root_times = self.0.get(&root).with_context(|| {
            format!("process {root} is gone, so its processor time is too: see its log, then start the bench again")
        })?;
        let mut ticks = root_times.own + root_times.ended;
        let mut parents = vec![root];
        while let Some(parent) = parents.pop() {
            for (pid, times) in self.0.iter().filter(|(_, times)| times.parent == parent) {
                ticks += times.own + times.ended;
                parents.push(*pid);
            }
        }
        Ok(ticks as f64 * MILLIS_PER_TICK)
    }

    /// Of one process alone.
    pub fn own_millis(&self, pid: u32) -> f64 {
        self.0.get(&pid).map_or(0.0, |times| times.own as f64 * MILLIS_PER_TICK)
    }
}

/// The program's name stands in parentheses and may itself hold parentheses and blanks; the fields follow the last one.
fn parse(stat: &str) -> Option<Times> {
    let (_, fields) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_ascii_whitespace().collect();
    let ticks = |index: usize| fields.get(index)?.parse::<u64>().ok();
    // state, ppid, pgrp, … with utime, stime, cutime, cstime at 11 to 14.
    Some(Times { parent: fields.get(1)?.parse().ok()?, own: ticks(11)? + ticks(12)?, ended: ticks(13)? + ticks(14)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_blanks_and_parentheses_shifts_no_field() {
        let stat = "42 (a (b) c) S 7 42 42 0 -1 4194560 100 200 0 0 11 22 33 44 20 0 1 0 100 1000 10";
        assert_eq!(parse(stat), Some(Times { parent: 7, own: 33, ended: 77 }));
    }

    #[test]
    fn a_tree_counts_the_living_and_the_ended() -> anyhow::Result<()> {
        let times = |parent, own, ended| Times { parent, own, ended };
        let tree = [(1, times(0, 900, 900)), (10, times(1, 1, 20)), (11, times(10, 300, 0)), (12, times(11, 0, 4_000))];
        let processes = Processes(HashMap::from(tree));
        assert_eq!(processes.tree_millis(10)?, 43_210.0);
        assert!(processes.tree_millis(99).is_err());
        Ok(())
    }

    #[test]
    fn this_process_is_seen() -> anyhow::Result<()> {
        Processes::now()?.tree_millis(std::process::id()).map(drop)
    }
}
