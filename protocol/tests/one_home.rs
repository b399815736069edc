//! The wire between two programs is spelt in one place, which both use.

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

/// Files of these crates whose product code, comments left out, has what `spells` looks for.
fn homes(crates: &[&str], spells: impl Fn(&str) -> bool) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = Vec::new();
    for folder in crates {
        sources(&root.join(folder).join("src"), &mut found);
    }
    assert!(!found.is_empty());
    let mut homes: Vec<String> = found
        .iter()
        .filter(|path| {
            let text = fs::read_to_string(path).unwrap();
            let product = text.split("#[cfg(test)]").next().unwrap();
            let code: Vec<&str> = product.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
            spells(&code.join("\n"))
        })
        .map(|path| path.strip_prefix(&root).unwrap().display().to_string())
        .collect();
    homes.sort();
    homes
}

#[test]
fn the_words_of_the_dialect_stand_in_its_module_alone() {
    let words = ["XPEER", "XDIGEST", "XCOMPLETE", "XFAILED"];
    let spells = |code: &str| words.iter().any(|word| code.contains(&format!("\"{word}")));
    assert_eq!(homes(&["config", "ftpd", "protocol", "sidecar"], spells), ["protocol/src/dialect.rs"]);
}

/// Whether the code writes or reads the address of a data connection by itself.
fn spells_endpoint(code: &str) -> bool {
    let literals = ["Passive Mode", "|||", "\"|1|", "\"|2|", "\"|{", "split('|')", "[\"\", \"\", \"\","];
    let writes_octets = |line: &str| line.matches("},{").count() >= 3;
    let reads_octets = code.contains("split(',')") && code.contains("from_be_bytes(");
    literals.iter().any(|literal| code.contains(literal)) || code.lines().any(writes_octets) || reads_octets
}

#[test]
fn endpoints_of_227_229_port_and_eprt_stand_in_their_module_alone() {
    let crates = ["client", "config", "ftpd", "operator", "protocol", "sidecar"];
    assert_eq!(homes(&crates, spells_endpoint), ["protocol/src/endpoint.rs"]);
}

#[test]
fn every_spelling_of_an_endpoint_is_found() {
    for planted in [
        "Reply::new(227, format!(\"Entering Passive Mode ({address}).\"))",
        "format!(\"=({a},{b},{c},{d},{high},{low})\")",
        "format!(\"PORT {a},{b},{c},{d},{high},{low}\")",
        "Reply::new(229, format!(\"ok (|||{port}|)\"))",
        "CommandLine::of(\"EPRT\", format!(\"|2|{v6}|{port}|\"))",
        "format!(\"|{family}|{address}|{port}|\")",
        "let port = reply.split('|').nth(3)",
        "let numbers = text.split(',');\nlet port = u16::from_be_bytes([high, low]);",
        "match fields { [\"\", \"\", \"\", port, \"\"] => port",
    ] {
        assert!(spells_endpoint(planted), "{planted}");
    }
    assert!(!spells_endpoint("let version = text.split(',');\nlet bars = left || right;"));
}
