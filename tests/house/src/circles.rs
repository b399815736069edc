//! Circles of imports between the files of one crate: such files can only be understood, and moved, together.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use crate::{
    finding::Finding,
    modules::Module,
    repository::Repository,
    resolve::{Named, resolve},
};

/// Which file uses which others, and by which names.
type Uses = BTreeMap<PathBuf, BTreeMap<PathBuf, BTreeSet<String>>>;

/// Finds the circles in every crate.
pub(crate) fn find(repository: &Repository) -> Vec<Finding> {
    repository.crates.iter().flat_map(|each| circles_of(&each.modules)).collect()
}

/// A circle is a set of files of which each uses all others, directly or through one of them.
fn circles_of(modules: &[Module]) -> BTreeSet<Finding> {
    let uses = uses(modules);
    let reachable: BTreeMap<_, _> = uses.keys().map(|file| (file, reachable(&uses, file))).collect();
    let reaches = |from: &PathBuf, to: &PathBuf| reachable.get(from).is_some_and(|files| files.contains(to));
    let on_circles = uses.keys().filter(|file| reaches(file, file));
    let circles = on_circles.map(|file| {
        let circle: Vec<_> = uses.keys().filter(|other| reaches(file, other) && reaches(other, file)).collect();
        Finding { file: circle.first().map_or(file, |first| first).clone(), text: describe(&uses, &circle) }
    });
    circles.collect()
}

/// The files of a circle, and the names that tie each two of them.
fn describe(uses: &Uses, circle: &[&PathBuf]) -> String {
    let used_by = |file| uses.get(file).into_iter().flatten().filter(|(used, _)| circle.contains(used));
    let ties = circle.iter().flat_map(|file| {
        used_by(*file).map(|(used, names)| {
            let names: Vec<_> = names.iter().map(String::as_str).collect();
            format!("\n    {} -> {}: {}", file.display(), used.display(), names.join(", "))
        })
    });
    format!("a circle of {} files{}", circle.len(), ties.collect::<String>())
}

fn uses(modules: &[Module]) -> Uses {
    let mut uses = Uses::new();
    for (index, module) in modules.iter().enumerate() {
        let of_file = uses.entry(module.file.clone()).or_default();
        for path in &module.mentions {
            let Named::Item(definer) = resolve(modules, index, path) else { continue };
            let Some(definer) = modules.get(definer).filter(|definer| definer.file != module.file) else { continue };
            of_file.entry(definer.file.clone()).or_default().insert(path.join("::"));
        }
    }
    uses
}

/// Every file that `from` uses, directly or through others.
fn reachable(uses: &Uses, from: &PathBuf) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut next = vec![from];
    while let Some(file) = next.pop() {
        for used in uses.get(file).into_iter().flat_map(BTreeMap::keys) {
            if found.insert(used.clone()) {
                next.push(used);
            }
        }
    }
    found
}
