//! Paths and names in Markdown: what a page sends the reader to must be there.

use std::{
    collections::BTreeSet,
    path::{Component, Path, PathBuf},
};

use crate::{finding::Finding, repository::Repository};

/// Extensions of files that pages name; others, such as `users.json`, are made when the product runs.
const SOURCES: [&str; 7] = ["rs", "md", "toml", "yaml", "sh", "py", "conf"];

/// Finds words in backticks that are the path of a source, or a Rust name, and that no file bears or contains.
/// Links are the Markdown linter's part.
pub(crate) fn find(repository: &Repository) -> Vec<Finding> {
    let known = Known::of(repository);
    let findings = repository.with_extension("md").flat_map(|(page, text)| {
        let missing = code_spans(text).filter(|span| known.is_missing(page, span));
        missing.map(|span| Finding { file: page.to_owned(), text: format!("`{span}` is not there") })
    });
    findings.collect()
}

/// Texts in backticks outside of code blocks.
fn code_spans(text: &str) -> impl Iterator<Item = &str> {
    let mut is_block = false;
    let lines = text.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        is_block ^= is_fence;
        !is_block && !is_fence
    });
    lines.flat_map(|line| line.split('`').skip(1).step_by(2))
}

/// What the repository contains, for look-ups.
struct Known<'a> {
    /// Files and folders.
    paths: BTreeSet<&'a Path>,
    /// Words of every file that is not a page.
    words: BTreeSet<&'a str>,
}

impl<'a> Known<'a> {
    fn of(repository: &'a Repository) -> Self {
        let sources = repository.files.iter().filter(|(file, _)| file.extension().is_none_or(|found| found != "md"));
        Self {
            paths: repository.files.keys().flat_map(|file| file.ancestors()).collect(),
            words: sources.flat_map(|(_, text)| text.split(|each: char| !is_of_word(each))).collect(),
        }
    }

    fn is_missing(&self, page: &Path, span: &str) -> bool {
        match meant(span, &self.paths) {
            Meant::Path(path) => {
                let beside = page.parent().unwrap_or(Path::new("")).join(path);
                !self.paths.contains(normal(&beside).as_path()) && !self.paths.iter().any(|known| known.ends_with(path))
            }
            // `name_*` stands for every word that begins so, of which the set's next one is the first.
            Meant::Name(name) => match name.strip_suffix('*') {
                Some(start) => !self.words.range(start..).next().is_some_and(|word| word.starts_with(start)),
                None => !self.words.contains(name),
            },
            Meant::Other => false,
        }
    }
}

enum Meant<'a> {
    Path(&'a str),
    Name(&'a str),
    Other,
}

/// Paths are those with the extension of a source, and those that begin with a folder of the repository; names are
/// `several::parts`, `several_words` and `several_*`.
fn meant<'a>(span: &'a str, paths: &BTreeSet<&Path>) -> Meant<'a> {
    let path = span.trim_end_matches('/');
    let is_relative = span.chars().all(|each| is_of_word(each) || "./-".contains(each)) && !span.starts_with('/');
    let is_source = Path::new(path).extension().is_some_and(|found| SOURCES.iter().any(|source| found == *source));
    let first = path.split('/').next().unwrap_or_default();
    let is_below = path != first && !first.is_empty() && paths.contains(Path::new(first));
    if is_relative && (is_source || is_below) {
        return Meant::Path(path);
    }
    let name = span.trim_end_matches("()");
    let words = name.strip_suffix('*').unwrap_or(name).replace("::", "_");
    // The names of metrics are put together at run time; the programs' tests compare their page.
    let is_metric = name.starts_with("safetp_") && !name.contains("::");
    let is_variable = name.contains('_') && !is_metric && name.chars().all(|each| !each.is_uppercase());
    let is_rust = name.contains("::") || is_variable;
    match name.rsplit("::").next() {
        Some(last) if is_rust && words.chars().all(is_of_word) && !words.starts_with('_') => Meant::Name(last),
        _ => Meant::Other,
    }
}

fn is_of_word(each: char) -> bool {
    each.is_alphanumeric() || each == '_'
}

/// The path without `..` and `.`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => drop(normal.pop()),
            Component::CurDir => {}
            other => normal.push(other),
        }
    }
    normal
}
