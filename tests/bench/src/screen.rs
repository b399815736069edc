//! What the benchmark says.

/// Says one line.
#[expect(clippy::print_stdout, reason = "a command-line tool: this is its screen")]
pub(crate) fn say(line: &str) {
    println!("{line}");
}

/// Says why something failed.
#[expect(clippy::print_stderr, reason = "a command-line tool: this is its screen")]
pub(crate) fn complain(line: &str) {
    eprintln!("{line}");
}
