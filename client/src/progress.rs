//! How far a transfer is, for a person at a terminal.

use std::io::{self, IsTerminal as _};

use indicatif::{ProgressBar, ProgressStyle};

/// Above this many octets, or where nobody knows how many come, a bar is shown.
const WORTH_A_BAR: u64 = 1024 * 1024;
const STYLE: &str = "{prefix} {wide_bar} {bytes}/{total_bytes} {binary_bytes_per_sec} {eta}";
const STYLE_WITHOUT_TOTAL: &str = "{prefix} {bytes} {binary_bytes_per_sec} {elapsed}";

/// Who makes the bars of a run, if anybody does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Meter {
    shown: bool,
}

impl Meter {
    /// Bars go to stderr, and only where that is a terminal. The dialogue would tear them apart.
    pub(crate) fn new(quiet: bool, verbose: bool) -> Self {
        Self { shown: !quiet && !verbose && io::stderr().is_terminal() }
    }

    /// A bar for one transfer that begins behind `done` octets.
    pub(crate) fn bar(self, name: String, done: u64, total: Option<u64>) -> ProgressBar {
        if !self.shown || total.is_some_and(|total| total < WORTH_A_BAR) {
            return ProgressBar::hidden();
        }
        let bar = total.map_or_else(ProgressBar::no_length, ProgressBar::new);
        let style = if total.is_some() { STYLE } else { STYLE_WITHOUT_TOTAL };
        let bar = bar.with_prefix(name).with_position(done);
        bar.set_style(ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.reset_eta();
        bar
    }
}
