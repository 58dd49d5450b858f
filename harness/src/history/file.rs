//! The file behind a history: appended on a thread of its own, flushed whenever the queue is empty.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use anyhow::{Context, anyhow, bail};
use serde::Serialize;

use super::Attempt;

pub struct HistoryWriter {
    lines: Sender<Vec<u8>>,
    thread: JoinHandle<std::io::Result<()>>,
}

impl HistoryWriter {
    /// Appends; a line that an earlier, killed load left unfinished is closed first, so that it spoils no other.
    pub fn append_to(path: &Path) -> anyhow::Result<Self> {
        let file = open(path).with_context(|| {
            format!("could not open the history {}: name a file in a folder that may be written", path.display())
        })?;
        let (lines, queue) = channel();
        let thread = std::thread::Builder::new()
            .name("history".into())
            .spawn(move || write_all(file, queue))
            .context("could not start the thread that writes the history: free some memory or threads")?;
        Ok(Self { lines, thread })
    }

    /// `false` when the file can no longer be written; [`HistoryWriter::finish`] says why.
    #[must_use]
    pub fn write(&self, attempt: &impl Serialize) -> bool {
        match serde_json::to_vec(attempt) {
            Ok(mut line) => {
                line.push(b'\n');
                self.lines.send(line).is_ok()
            }
            Err(_) => false,
        }
    }

    pub fn finish(self) -> anyhow::Result<()> {
        drop(self.lines);
        match self.thread.join() {
            Ok(written) => written.context("could not write the history: free some space on its disk and start again"),
            Err(_) => Err(anyhow!("the thread that writes the history panicked: report this")),
        }
    }
}

fn open(path: &Path) -> std::io::Result<File> {
    let mut file = OpenOptions::new().create(true).append(true).read(true).open(path)?;
    if file.metadata()?.len() > 0 {
        file.seek(SeekFrom::End(-1))?;
        let mut last = [0_u8];
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            file.write_all(b"\n")?;
        }
    }
    Ok(file)
}

fn write_all(file: File, queue: Receiver<Vec<u8>>) -> std::io::Result<()> {
    let mut file = BufWriter::with_capacity(256 * 1024, file);
    while let Ok(line) = queue.recv() {
        file.write_all(&line)?;
        while let Ok(line) = queue.try_recv() {
            file.write_all(&line)?;
        }
        file.flush()?;
    }
    file.flush()
}

/// Hands over every attempt of a history and returns how many lines were cut short by a kill of the load.
/// A cut line is JSON that ends too early; any other line that cannot be read is an error.
pub fn read(path: &Path, mut each: impl FnMut(Attempt)) -> anyhow::Result<u64> {
    let file = File::open(path)
        .with_context(|| format!("could not open the history {}: name a file that `load` wrote", path.display()))?;
    let mut file = BufReader::with_capacity(256 * 1024, file);
    let (mut line, mut number, mut cut) = (Vec::new(), 0_u64, 0);
    loop {
        line.clear();
        if file
            .read_until(b'\n', &mut line)
            .with_context(|| format!("could not read the history {}: check the disk and try again", path.display()))?
            == 0
        {
            return Ok(cut);
        }
        number += 1;
        // Within a cut string the newline would be read as a wrong character, not as an end that came too early.
        match serde_json::from_slice(line.strip_suffix(b"\n").unwrap_or(&line)) {
            Ok(attempt) => each(attempt),
            Err(error) if error.is_eof() => cut += 1,
            Err(error) => {
                bail!("line {number} of {} is no attempt ({error}): name a file that `load` wrote", path.display())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = r#"{"action":"create","key":"00000000-0000-0000-0000-000000000001","userId":"u","attempt":1,"orderId":null,"items":[],"sentAt":"2026-01-01T00:00:00Z","answeredAt":null,"status":null,"code":null,"position":null,"retries":0,"outcome":"unknown","error":"cut"}"#;

    fn scratch(name: &str) -> std::path::PathBuf {
        std::env::temp_dir().join(format!("ordo-history-{}-{name}", std::process::id()))
    }

    #[test]
    fn a_line_cut_by_a_kill_spoils_no_other() -> anyhow::Result<()> {
        let path = scratch("cut");
        std::fs::write(&path, format!("{WHOLE}\n{}", &WHOLE[..40]))?;
        let history = HistoryWriter::append_to(&path)?;
        assert!(history.write(&serde_json::from_str::<serde_json::Value>(WHOLE)?));
        history.finish()?;
        let mut attempts = 0;
        let cut = read(&path, |_| attempts += 1)?;
        std::fs::remove_file(&path)?;
        assert_eq!((attempts, cut), (2, 1));
        Ok(())
    }

    #[test]
    fn a_foreign_line_is_an_error() -> anyhow::Result<()> {
        let path = scratch("foreign");
        std::fs::write(&path, "{\"hello\":1}\n")?;
        let read = read(&path, |_| ());
        std::fs::remove_file(&path)?;
        assert!(read.is_err());
        Ok(())
    }
}
