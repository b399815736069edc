//! Prints how many places break each rule of the house, and which, and fails where one does.

use std::{env, error::Error, process::ExitCode};

use safetp_house::{RULES, Repository};

/// What is known to break a rule and is on its way out: a rule's name and a file.
const KNOWN: &str = include_str!("../known.txt");

#[expect(clippy::print_stdout, reason = "its output is what it is for")]
fn main() -> Result<ExitCode, Box<dyn Error>> {
    let repository = Repository::read(&env::current_dir()?)?;
    let mut counts = Vec::new();
    for rule in RULES {
        let findings = (rule.find)(&repository);
        let known: Vec<_> = KNOWN.lines().filter_map(|line| line.strip_prefix(rule.name)?.strip_prefix(": ")).collect();
        let is_known = |file: &str| known.contains(&file);
        let (old, new): (Vec<_>, Vec<_>) =
            findings.into_iter().partition(|each| is_known(&each.file.to_string_lossy()));
        for finding in &new {
            println!("{finding}");
        }
        let gone = known.iter().filter(|file| !old.iter().any(|finding| finding.file.to_string_lossy() == **file));
        for file in gone {
            println!("remove it from known.txt: {}: {file}", rule.name);
        }
        counts.push((rule.name, new.len(), old.len()));
    }
    for (name, new, old) in &counts {
        println!("{} {name}: {new} ({old} known)", if *new == 0 { "ok" } else { "FAILED" });
    }
    Ok(if counts.iter().all(|(_, new, _)| *new == 0) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
