//! This repository keeps every rule.

#![allow(clippy::unwrap_used, reason = "in a test an error is a failure")]

use std::path::Path;

use safetp_house::{Finding, RULES, Repository};

#[test]
fn this_repository_keeps_every_rule() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let repository = Repository::read(root).unwrap();
    for rule in RULES {
        let findings: Vec<_> = (rule.find)(&repository).iter().map(Finding::to_string).collect();
        assert!(findings.is_empty(), "{}:\n{}", rule.name, findings.join("\n"));
    }
}

#[test]
fn the_files_of_every_crate_are_read() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let repository = Repository::read(root).unwrap();
    let read = repository.crate_roots();
    for root in ["protocol/src/lib.rs", "sidecar/src/main.rs", "tests/bench/src/main.rs", "tests/house/src/lib.rs"] {
        assert!(read.contains(&Path::new(root)), "{root} is missing: {read:?}");
    }
}
