//! The benchmark itself works: a short round against our own server. No number is looked at.

#![allow(clippy::unwrap_used, reason = "in a test an error is a failure")]

use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// The programs of this build, which `cargo test` of the whole workspace has built already.
fn binaries() -> PathBuf {
    let directory = Path::new(env!("CARGO_BIN_EXE_safetp-bench")).parent().unwrap().to_owned();
    if !directory.join("safetp-sidecar").exists() || !directory.join("safetp-ftpd").exists() {
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "-p", "safetp-sidecar", "-p", "safetp-ftpd"]);
        assert!(build.status().unwrap().success());
    }
    directory
}

#[test]
fn a_quick_round_measures_everything_and_writes_its_page() {
    let directory = tempfile::tempdir().unwrap();
    let page = directory.path().join("page.md");
    let (begin, end) = ("<!-- measured by `make bench`: begin -->", "<!-- measured by `make bench`: end -->");
    std::fs::write(&page, format!("{begin}\n{end}\n")).unwrap();
    let mut bench = Command::new(env!("CARGO_BIN_EXE_safetp-bench"));
    bench.args(["--quick", "--only", "safetp", "--binaries"]).arg(binaries());
    let output = bench.arg("--files").arg(directory.path()).arg("--page").arg(&page).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = std::fs::read_to_string(&page).unwrap();
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    assert_eq!(rows.len(), 11 + 3, "{text}");
    assert!(rows.iter().all(|row| !row.contains("| - |")), "{text}");
}

#[test]
fn a_missing_program_is_named() {
    let mut bench = Command::new(env!("CARGO_BIN_EXE_safetp-bench"));
    let output = bench.args(["--quick", "--only", "safetp", "--binaries", "/nowhere"]).output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("/nowhere/safetp-sidecar is missing"));
}
