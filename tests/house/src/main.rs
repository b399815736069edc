//! Prints what breaks the rules of the house, and how many places break each; fails where one does.

use std::{env, error::Error, process::ExitCode};

use safetp_house::{RULES, Repository};

#[expect(clippy::print_stdout, reason = "its output is what it is for")]
fn main() -> Result<ExitCode, Box<dyn Error>> {
    let repository = Repository::read(&env::current_dir()?)?;
    let checked = RULES.map(|rule| (rule.name, (rule.find)(&repository)));
    for finding in checked.iter().flat_map(|(_, findings)| findings) {
        println!("{finding}");
    }
    for (name, findings) in &checked {
        println!("{} {name}: {}", if findings.is_empty() { "ok" } else { "FAILED" }, findings.len());
    }
    let is_kept = checked.iter().all(|(_, findings)| findings.is_empty());
    Ok(if is_kept { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
