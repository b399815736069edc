//! Output of the benchmark.

/// Prints one line.
#[expect(clippy::print_stdout, reason = "a command-line tool: this is its screen")]
pub(crate) fn say(line: &str) {
    println!("{line}");
}

/// Prints why something failed.
#[expect(clippy::print_stderr, reason = "a command-line tool: this is its screen")]
pub(crate) fn complain(line: &str) {
    eprintln!("{line}");
}
