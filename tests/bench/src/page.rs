//! The page with the last table.

use std::{fs, path::Path};

use anyhow::{Context as _, Result};

const BEGIN: &str = "<!-- measured by `make bench`: begin -->\n";
const END: &str = "<!-- measured by `make bench`: end -->\n";

/// Replaces what stands between the page's markers.
pub(crate) fn write(page: &Path, measured: &str) -> Result<()> {
    let text = fs::read_to_string(page).with_context(|| format!("failed to read {}", page.display()))?;
    let text = replaced(&text, measured).with_context(|| format!("{} has lost its markers", page.display()))?;
    fs::write(page, text).with_context(|| format!("failed to write {}", page.display()))
}

fn replaced(text: &str, measured: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{measured}\n{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_between_the_markers_is_replaced() {
        let page = |inside: &str| format!("before\n{BEGIN}{inside}{END}after\n");
        assert_eq!(replaced(&page("old\n"), "new"), Some(page("\nnew\n")));
        assert_eq!(replaced("no markers", "new"), None);
    }
}
