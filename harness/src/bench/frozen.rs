//! A process under SIGSTOP that is continued whatever happens: it keeps its memory, sockets and locks, and does nothing.

use std::process::{Command, Stdio};

use anyhow::ensure;

/// Dropping it sends SIGCONT, also on an error, a panic or a signal to the bench; nothing but SIGKILL leaves it frozen.
#[must_use]
pub struct Frozen {
    pid: u32,
}

impl Frozen {
    /// # Errors
    /// The process is gone, or belongs to somebody else.
    pub fn process(name: &str, pid: u32) -> anyhow::Result<Self> {
        ensure!(signal(pid, "-STOP"), "{name} (pid {pid}) could not be stopped: is it gone, or not yours?");
        Ok(Self { pid })
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        if !signal(self.pid, "-CONT") {
            eprintln!("bench: process {} could not be continued: if it is still there, kill -CONT {0}", self.pid);
        }
    }
}

/// Without waiting on a runtime, for it is used while everything is torn down; it takes a few milliseconds.
fn signal(pid: u32, signal: &str) -> bool {
    let sent = Command::new("kill").args([signal, &pid.to_string()]).stderr(Stdio::null()).status();
    sent.is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `T` while stopped.
    fn state(pid: u32) -> Option<char> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        stat.rsplit_once(") ")?.1.chars().next()
    }

    fn becomes(pid: u32, stopped: bool) -> bool {
        let began = std::time::Instant::now();
        while began.elapsed() < std::time::Duration::from_secs(10) {
            if state(pid).is_some_and(|state| (state == 'T') == stopped) {
                return true;
            }
            std::thread::yield_now();
        }
        false
    }

    #[test]
    fn a_frozen_process_goes_on_even_when_the_bench_panics() -> anyhow::Result<()> {
        let mut child = Command::new("sleep").arg("60").spawn()?;
        let pid = child.id();
        let panicked = std::thread::spawn(move || {
            let frozen = Frozen::process("sleep", pid);
            assert!(frozen.is_ok() && becomes(pid, true), "it was not stopped");
            panic!("on purpose");
        })
        .join()
        .expect_err("the thread panics");
        let goes_on = becomes(pid, false);
        child.kill()?;
        child.wait()?;
        assert_eq!(panicked.downcast_ref::<&str>(), Some(&"on purpose"));
        assert!(goes_on, "it stayed stopped");
        Ok(())
    }

    #[test]
    fn a_process_that_is_gone_cannot_be_frozen() -> anyhow::Result<()> {
        let mut child = Command::new("true").spawn()?;
        child.wait()?;
        assert!(Frozen::process("true", child.id()).is_err());
        Ok(())
    }
}
