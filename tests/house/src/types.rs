//! Types of one package that share a name: whoever searches for it finds the wrong one.

use std::collections::{BTreeMap, BTreeSet};

use crate::{finding::Finding, repository::Repository};

/// Finds the names that several types of one product package share. Associated types and those of tests do not count.
pub(crate) fn find(repository: &Repository) -> Vec<Finding> {
    let mut homes = BTreeMap::<_, BTreeSet<_>>::new();
    for each in repository.crates.iter().filter(|each| !each.folder.starts_with("tests")) {
        for module in &each.modules {
            for name in module.items.iter().filter_map(|(name, is_type)| is_type.then_some(name)) {
                homes.entry((&each.folder, name)).or_default().insert(&module.file);
            }
        }
    }
    let shared = homes.into_iter().filter(|(_, files)| files.len() > 1);
    shared
        .flat_map(|((_, name), files)| {
            let text = format!("{name} names a type in {} files", files.len());
            files.into_iter().map(move |file| Finding { file: file.clone(), text: text.clone() })
        })
        .collect()
}
