//! What two programs say to each other is spelt in one place, which both use.

#![allow(clippy::unwrap_used, reason = "in a test an error is a failure")]

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Sources of the product, without its tests: those spell the wire out, or they would agree with any mistake.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if name.starts_with("tests") {
            continue;
        }
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn the_words_of_the_dialect_stand_in_its_module_alone() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = Vec::new();
    for program in ["config", "ftpd", "protocol", "sidecar"] {
        sources(&root.join(program).join("src"), &mut found);
    }
    let has_words = |path: &PathBuf| {
        let text = fs::read_to_string(path).unwrap();
        let product = text.split("#[cfg(test)]").next().unwrap();
        ["XPEER", "XDIGEST", "XCOMPLETE", "XFAILED"].iter().any(|word| product.contains(&format!("\"{word}")))
    };
    let homes: Vec<_> = found.into_iter().filter(has_words).collect();
    assert_eq!(homes, [root.join("protocol/src/dialect.rs")]);
}
