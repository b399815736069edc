//! Each rule on small repositories that break it and that keep it.

#![allow(clippy::unwrap_used, reason = "in a test an error is a failure")]

use std::{collections::BTreeMap, path::PathBuf};

use safetp_house::{Finding, RULES, Repository};

fn repository(files: &[(&str, &str)], crates: &[(&str, &str)]) -> Repository {
    let files: BTreeMap<_, _> = files.iter().map(|(file, text)| (PathBuf::from(file), (*text).to_owned())).collect();
    let crates: Vec<_> = crates.iter().map(|(folder, root)| (PathBuf::from(folder), PathBuf::from(root))).collect();
    Repository::new(files, &crates).unwrap()
}

/// What the rule whose name begins with `rule` finds, each in one line.
fn findings(rule: &str, repository: &Repository) -> Vec<String> {
    let rule = RULES.into_iter().find(|each| each.name.starts_with(rule)).unwrap();
    (rule.find)(repository).iter().map(Finding::to_string).collect()
}

fn circles(files: &[(&str, &str)]) -> Vec<String> {
    findings("circles", &repository(files, &[("app", "app/lib.rs")]))
}

#[test]
fn a_circle_is_found_with_the_names_that_tie_it() {
    let found = circles(&[
        ("app/lib.rs", "mod a; mod b; mod c;"),
        ("app/a.rs", "use crate::b::B; pub struct A(B);"),
        ("app/b.rs", "pub struct B; fn call() { super::c::run() }"),
        ("app/c.rs", "use super::a; pub fn run() { let _: Option<a::A> = None; }"),
    ]);
    assert_eq!(
        found,
        ["app/a.rs: a circle of 3 files\n    \
          app/a.rs -> app/b.rs: B, crate::b::B\n    \
          app/b.rs -> app/c.rs: super::c::run\n    \
          app/c.rs -> app/a.rs: a::A"]
    );
}

#[test]
fn a_parent_and_a_child_that_use_each_other_are_a_circle() {
    let found = circles(&[
        ("app/lib.rs", "mod parent;"),
        ("app/parent.rs", "mod child; pub struct State; fn run() { child::serve() }"),
        ("app/parent/child.rs", "use super::State; pub fn serve() -> Option<State> { None }"),
    ]);
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn uses_in_macros_and_attributes_count() {
    let found = circles(&[
        ("app/lib.rs", "mod a; mod b;"),
        ("app/a.rs", "pub fn name() { println!(\"{}\", crate::b::name()) }"),
        ("app/b.rs", "#[arg(parser = crate::a::name)] pub fn name() {}"),
    ]);
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn a_name_that_is_exported_again_counts_for_the_file_that_defines_it() {
    let found = circles(&[
        ("app/lib.rs", "mod parent; mod other;"),
        ("app/parent.rs", "mod child; pub use child::Child; pub(crate) use crate::other::Other as Renamed;"),
        ("app/parent/child.rs", "use super::Renamed; pub struct Child(Renamed);"),
        ("app/other.rs", "use crate::parent::*; pub struct Other(Child);"),
    ]);
    assert_eq!(
        found,
        ["app/other.rs: a circle of 2 files\n    \
          app/other.rs -> app/parent/child.rs: Child\n    \
          app/parent/child.rs -> app/other.rs: Renamed, super::Renamed"]
    );
}

#[test]
fn declarations_tests_visibility_and_other_crates_close_no_circle() {
    let found = circles(&[
        ("app/lib.rs", "mod a; mod b; pub use a::A; use std::fmt; use serde; fn f() -> fmt::Result { serde::f() }"),
        ("app/a.rs", "pub struct A; #[cfg(test)] mod tests { use crate::b::B; } mod inner { use super::A; }"),
        ("app/b.rs", "use crate::A; pub(in crate::a) struct B(A);"),
    ]);
    assert_eq!(found, [""; 0]);
}

#[test]
fn two_types_of_one_name_are_found_and_private_modules_count() {
    let files = [
        ("app/lib.rs", "mod a { struct State; } mod b; fn state() {}"),
        ("app/b.rs", "enum State {} struct Other; #[cfg(test)] mod tests { struct Other; }"),
        ("tests/pod/lib.rs", "mod a; struct State;"),
        ("tests/pod/a.rs", "struct State;"),
    ];
    let crates = [("app", "app/lib.rs"), ("tests/pod", "tests/pod/lib.rs")];
    let found = findings("types", &repository(&files, &crates));
    assert_eq!(found, ["app/b.rs: State names a type in 2 files", "app/lib.rs: State names a type in 2 files"]);
}

#[test]
fn files_without_a_module_doc_are_found() {
    let files = [
        ("a.rs", "//! A doc.\n"),
        ("b.rs", "#![no_main]\n//! A doc.\n"),
        ("c.rs", "/// A struct.\nstruct C;\n//! Too late.\n"),
        ("d/mod.rs", "//! A doc.\n"),
    ];
    let found = findings("Rust files without", &repository(&files, &[]));
    assert_eq!(
        found,
        ["c.rs: has no module doc (//!)", "d/mod.rs: is named mod.rs: the module x is x.rs, beside the folder x"]
    );
}

#[test]
fn long_files_and_lines_are_found() {
    let long = "ä ".repeat(60) + "ä";
    let files = [
        ("a.rs", "\n".repeat(401)),
        ("b.rs", "\n".repeat(400)),
        ("page.md", format!("ok\n{long}\n| {long} |\nhttps://{}\n", "a".repeat(120))),
        ("crds/a.yaml", long.clone()),
        ("run", format!("#!/bin/sh\n{long}")),
        ("notes.txt", long.clone()),
    ];
    let files: Vec<_> = files.iter().map(|(file, text)| (*file, text.as_str())).collect();
    let repository = repository(&files, &[]);
    assert_eq!(findings("Rust files over", &repository), ["a.rs: has 401 lines"]);
    assert_eq!(
        findings("lines", &repository),
        ["page.md: line 2 has 121 characters", "run: line 2 has 121 characters"]
    );
}

#[test]
fn paths_and_names_that_are_gone_are_found() {
    let page = "`app/src/lib.rs`, `lib.rs`, `src/lib.rs`, `app/src/`, `../app`, `Session::run()`, `is_*`, `is_closed`\n\
                `app/src/gone.rs`, `gone.rs`, `app/gone/`, `Session::gone`, `is_gone`, `is_gone_*`\n\
                `users.json`, `*.rs`, `make it`, `/etc/hosts.conf`\n\
                ```\n`gone.rs`\n```\n";
    let files = [("docs/page.md", page), ("app/src/lib.rs", "fn run() { is_closed() }")];
    let found = findings("paths", &repository(&files, &[]));
    let gone = ["app/src/gone.rs", "gone.rs", "app/gone/", "Session::gone", "is_gone", "is_gone_*"];
    assert_eq!(found, gone.map(|gone| format!("docs/page.md: `{gone}` is not there")));
}
