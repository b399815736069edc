//! The form of files: a module doc, lengths.

use std::path::Path;

use crate::{finding::Finding, repository::Repository};

const LONGEST_FILE: usize = 400;
const LONGEST_LINE: usize = 120;

/// Written by programs, whose tests compare them: `make generate`.
const GENERATED: [&str; 2] = ["crds", "charts/safetp-crds/templates"];

/// Finds Rust files that do not begin with a module doc, and modules in the old style.
pub(crate) fn find_modules(repository: &Repository) -> Vec<Finding> {
    let findings = repository.with_extension("rs").filter_map(|(file, text)| {
        let fault = if file.ends_with("mod.rs") {
            "is named mod.rs: the module x is x.rs, beside the folder x"
        } else if !has_module_doc(text) {
            "has no module doc (//!)"
        } else {
            return None;
        };
        Some(Finding { file: file.to_owned(), text: fault.to_owned() })
    });
    findings.collect()
}

fn has_module_doc(text: &str) -> bool {
    let mut lines =
        text.lines().skip_while(|line| line.is_empty() || line.starts_with("#![") || line.starts_with("// "));
    lines.next().is_some_and(|line| line.starts_with("//!"))
}

/// Finds Rust files of more than 400 lines.
pub(crate) fn find_long_files(repository: &Repository) -> Vec<Finding> {
    let findings = repository.with_extension("rs").filter_map(|(file, text)| {
        let lines = text.lines().count();
        (lines > LONGEST_FILE).then(|| Finding { file: file.to_owned(), text: format!("has {lines} lines") })
    });
    findings.collect()
}

/// Finds lines of more than 120 characters. A row of a table in Markdown cannot be broken, and no URL or key can.
pub(crate) fn find_long_lines(repository: &Repository) -> Vec<Finding> {
    let written = repository.files.iter().filter(|(file, text)| is_written_by_people(file, text));
    let findings = written.flat_map(|(file, text)| {
        let long = text.lines().enumerate().filter(|(_, line)| is_too_long(file, line));
        long.map(|(index, line)| Finding {
            file: file.clone(),
            text: format!("line {} has {} characters", index + 1, line.chars().count()),
        })
    });
    findings.collect()
}

fn is_written_by_people(file: &Path, text: &str) -> bool {
    let extension = file.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    match extension {
        "yaml" => !GENERATED.iter().any(|folder| file.starts_with(folder)),
        "rs" | "md" | "sh" | "toml" | "py" => true,
        "" => file.ends_with("Makefile") || text.starts_with("#!"),
        _ => false,
    }
}

fn is_too_long(file: &Path, line: &str) -> bool {
    let is_row = file.extension().is_some_and(|extension| extension == "md") && line.starts_with('|');
    let longest_word = line.split(' ').map(|word| word.chars().count()).max().unwrap_or_default();
    line.chars().count() > LONGEST_LINE && !is_row && longest_word <= LONGEST_LINE / 2
}
