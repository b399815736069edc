//! Runs of other programs: their output goes to a log or into the error.

use std::{
    fs::File,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use crate::error::{Doing as _, Error, Result};

/// Lines of a failed program's output that an error shows.
const SHOWN_LINES: usize = 15;

/// Runs `command` and returns its standard output.
pub(crate) fn capture(doing: &str, command: &mut Command) -> Result<String> {
    finish(doing, command, None)
}

/// Runs `command` with `input` on its standard input.
pub(crate) fn feed(doing: &str, command: &mut Command, input: &[u8]) -> Result<String> {
    finish(doing, command, Some(input))
}

fn finish(doing: &str, command: &mut Command, input: Option<&[u8]>) -> Result<String> {
    let stdin = if input.is_some() { Stdio::piped() } else { Stdio::null() };
    command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().doing(doing)?;
    if let (Some(mut pipe), Some(input)) = (child.stdin.take(), input) {
        pipe.write_all(input).doing(doing)?;
    }
    let output = child.wait_with_output().doing(doing)?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(text);
    }
    let detail = last_lines(&format!("{text}{}", String::from_utf8_lossy(&output.stderr)));
    Err(Error::Failed { doing: doing.to_owned(), detail })
}

/// Runs `command` to its end with both outputs in the file at `log`.
pub(crate) fn logged(doing: &str, command: &mut Command, log: &Path) -> Result<()> {
    let file = File::create(log).doing(format_args!("write {}", log.display()))?;
    let other = file.try_clone().doing(doing)?;
    let status = command.stdin(Stdio::null()).stdout(file).stderr(other).status().doing(doing)?;
    if status.success() { Ok(()) } else { Err(failed_with_log(doing, log)) }
}

/// The error of a program whose output is in a log.
pub(crate) fn failed_with_log(doing: &str, log: &Path) -> Error {
    let text = std::fs::read(log).unwrap_or_default();
    let shown = last_lines(&String::from_utf8_lossy(&text));
    Error::Failed { doing: doing.to_owned(), detail: format!("{shown}\nthe whole output is in {}", log.display()) }
}

fn last_lines(text: &str) -> String {
    let lines: Vec<_> = text.lines().collect();
    lines.get(lines.len().saturating_sub(SHOWN_LINES)..).unwrap_or_default().join("\n")
}

/// Asks again and again until `ready` holds. The interval only bounds how late that is noticed.
pub(crate) fn wait_until(what: &str, limit: Duration, hint: &str, mut ready: impl FnMut() -> bool) -> Result<()> {
    let deadline = Instant::now() + limit;
    while !ready() {
        if Instant::now() >= deadline {
            return Err(Error::TimedOut { what: what.to_owned(), seconds: limit.as_secs(), hint: hint.to_owned() });
        }
        std::thread::sleep(Duration::from_millis(50)); // between two looks at a condition that has a deadline
    }
    Ok(())
}
