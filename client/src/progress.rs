//! Progress bars for a person at a terminal.

use std::io::{self, IsTerminal as _};

use indicatif::{ProgressBar, ProgressStyle};

/// The size in octets from which on a bar is shown; it is also shown where the size is unknown.
const WORTH_A_BAR: u64 = 1024 * 1024;
const STYLE: &str = "{prefix} {wide_bar} {bytes}/{total_bytes} {binary_bytes_per_sec} {eta}";
const STYLE_WITHOUT_TOTAL: &str = "{prefix} {bytes} {binary_bytes_per_sec} {elapsed}";

/// The source of the progress bars of a run; hidden ones where they are not wanted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Meter {
    shown: bool,
}

impl Meter {
    /// Bars are shown on stderr if that is a terminal, but not with `-v`: the dialogue would break them up.
    pub(crate) fn new(quiet: bool, verbose: bool) -> Self {
        Self { shown: !quiet && !verbose && io::stderr().is_terminal() }
    }

    /// A bar for one transfer that continues after `done` octets.
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
