//! Finds the module that defines what a path names, through imports, re-exports and globs.

use std::collections::BTreeSet;

use crate::modules::Module;

/// What a path names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Named {
    /// The module with this index.
    Module(usize),
    /// An item that the module with this index defines.
    Item(usize),
    /// Nothing of this crate.
    Foreign,
}

/// Finds what `path` names in the module with the index `from`.
pub(crate) fn resolve(modules: &[Module], from: usize, path: &[String]) -> Named {
    Resolver { modules, open: BTreeSet::new() }.resolve(from, path)
}

struct Resolver<'a> {
    modules: &'a [Module],
    /// Imports that are being followed: `use rustls;` stands for itself.
    open: BTreeSet<(usize, String)>,
}

impl Resolver<'_> {
    fn resolve(&mut self, from: usize, path: &[String]) -> Named {
        let Some((first, rest)) = path.split_first() else { return Named::Foreign };
        let mut named = match first.as_str() {
            "crate" => Named::Module(0),
            "self" => Named::Module(from),
            "super" => self.parent(from),
            name => self.look_up(from, name, rest.is_empty()).unwrap_or(Named::Foreign),
        };
        for (place, name) in rest.iter().enumerate() {
            let Named::Module(module) = named else { return named };
            named = match name.as_str() {
                "super" => self.parent(module),
                // A macro of the module may have defined it.
                name => self.look_up(module, name, place + 1 == rest.len()).unwrap_or(Named::Item(module)),
            };
        }
        named
    }

    fn parent(&self, of: usize) -> Named {
        self.modules.get(of).and_then(|module| module.parent).map_or(Named::Foreign, Named::Module)
    }

    /// A module and an item may share a name: the last name of a path means the item.
    fn look_up(&mut self, at: usize, name: &str, is_last: bool) -> Option<Named> {
        let modules = self.modules;
        let module = modules.get(at)?;
        let child = module.children.get(name).copied().map(Named::Module);
        if child.is_some() && !is_last {
            return child;
        }
        if module.items.contains_key(name) {
            return Some(Named::Item(at));
        }
        self.look_up_import(at, name).or(child)
    }

    fn look_up_import(&mut self, at: usize, name: &str) -> Option<Named> {
        let modules = self.modules;
        let module = modules.get(at)?;
        if !self.open.insert((at, name.to_owned())) {
            return None;
        }
        let found = match module.imports.get(name) {
            Some(path) => Some(self.resolve(at, path)),
            None => module.globs.iter().find_map(|glob| match self.resolve(at, glob) {
                Named::Module(module) if module != at => self.look_up(module, name, true),
                _ => None,
            }),
        };
        self.open.remove(&(at, name.to_owned()));
        found
    }
}
