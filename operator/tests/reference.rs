//! The reference page of conditions lists every reason, with its meaning.

use std::{fs, path::Path};

use safetp_operator::Reason;

#[test]
fn the_page_of_conditions_lists_every_reason_and_no_other() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference/conditions.md");
    let page = fs::read_to_string(path).unwrap();
    let listed: Vec<_> = page.lines().filter(|line| line.starts_with("| `")).collect();
    let expected: Vec<_> = Reason::ALL.iter().map(|reason| format!("| `{reason}` | {} |", reason.meaning())).collect();
    assert_eq!(listed, expected);
}
