//! Rules of this repository's text that no linter has. Each returns what breaks it, and nothing where all is well.

mod circles;
mod files;
mod finding;
mod markdown;
mod modules;
mod repository;
mod resolve;
mod types;

pub use finding::Finding;
pub use modules::SyntaxError;
pub use repository::{ReadError, Repository};

/// A rule, by the name of what breaks it.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// A name for people, in the plural: "circles of imports".
    pub name: &'static str,
    /// Finds what breaks the rule.
    pub find: fn(&Repository) -> Vec<Finding>,
}

/// Every rule.
pub const RULES: [Rule; 6] = [
    Rule { name: "circles of imports", find: circles::find },
    Rule { name: "types that share a name in one crate", find: types::find },
    Rule { name: "Rust files without a module doc, or named mod.rs", find: files::find_modules },
    Rule { name: "Rust files over 400 lines", find: files::find_long_files },
    Rule { name: "lines over 120 characters", find: files::find_long_lines },
    Rule { name: "paths and names in Markdown that are not in the sources", find: markdown::find },
];
