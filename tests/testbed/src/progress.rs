//! Progress output: one line for each step, with the time it took.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::error::Result;

/// Prints one line.
#[expect(clippy::print_stdout, reason = "the test bed is a command-line tool: this is its screen")]
pub fn say(line: &str) {
    println!("{line}");
}

/// Prints why something failed.
#[expect(clippy::print_stderr, reason = "the test bed is a command-line tool: this is its screen")]
pub fn complain(error: &dyn std::fmt::Display) {
    eprintln!("{error}");
}

/// Runs one step of `title`: a spinner on a terminal, plain lines elsewhere.
pub fn step<T>(title: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let started = Instant::now();
    let spinner = ProgressBar::new_spinner().with_message(title.to_owned());
    if spinner.is_hidden() {
        say(&format!("{title} ..."));
    }
    spinner.set_style(ProgressStyle::default_spinner());
    spinner.enable_steady_tick(Duration::from_millis(120));
    let result = work();
    spinner.finish_and_clear();
    let outcome = if result.is_ok() { "done" } else { "FAILED" };
    say(&format!("{title}: {outcome} in {}", seconds(started.elapsed())));
    result
}

/// A duration for people.
pub fn seconds(duration: Duration) -> String {
    match duration.as_secs() {
        0..60 => format!("{:.1} s", duration.as_secs_f64()),
        whole => format!("{} min {} s", whole / 60, whole % 60),
    }
}
