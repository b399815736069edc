//! The modules of one crate as its sources declare them: what each defines, imports and mentions.

use std::{
    collections::BTreeMap,
    mem,
    path::{Path, PathBuf},
};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};

/// The names of a path, from left to right: `super::tls::Identity`.
pub(crate) type Names = Vec<String>;

/// A failure to understand the sources of a crate.
#[derive(Debug, thiserror::Error)]
pub enum SyntaxError {
    /// A source file does not parse.
    #[error("failed to parse {}: {source}", file.display())]
    Parse {
        /// The file.
        file: PathBuf,
        /// The reason, with its line.
        source: syn::Error,
    },
    /// A declared module has no file.
    #[error("{} declares mod {module}, which has no file", file.display())]
    NoFile {
        /// The declaring file.
        file: PathBuf,
        /// The module's name.
        module: String,
    },
}

/// One module, inline or a file of its own.
#[derive(Debug)]
pub(crate) struct Module {
    /// The file in which it stands.
    pub file: PathBuf,
    /// The module that declares it; none for the crate itself.
    pub parent: Option<usize>,
    /// Modules that it declares, by name.
    pub children: BTreeMap<String, usize>,
    /// Names of items that it defines, and whether each is a type.
    pub items: BTreeMap<String, bool>,
    /// Names that it imports, private ones and re-exports, each with the path that it stands for.
    pub imports: BTreeMap<String, Names>,
    /// Paths whose names it imports all.
    pub globs: Vec<Names>,
    /// Paths that it uses. A re-export alone is not a use.
    pub mentions: Vec<Names>,
}

/// Reads the crate whose root is the file `root`: its modules, the crate itself first. Tests are left out.
pub(crate) fn read_crate(files: &BTreeMap<PathBuf, String>, root: &Path) -> Result<Vec<Module>, SyntaxError> {
    let mut crate_reader = CrateReader { files, modules: Vec::new() };
    crate_reader.read_file(root, root.parent().unwrap_or(Path::new("")), None)?;
    Ok(crate_reader.modules)
}

struct CrateReader<'a> {
    files: &'a BTreeMap<PathBuf, String>,
    modules: Vec<Module>,
}

impl CrateReader<'_> {
    /// Reads the module in `file`, the files of whose modules are in `folder`.
    fn read_file(&mut self, file: &Path, folder: &Path, parent: Option<usize>) -> Result<usize, SyntaxError> {
        let text = self.files.get(file).map_or("", String::as_str);
        let parsed = syn::parse_file(text).map_err(|source| SyntaxError::Parse { file: file.to_owned(), source })?;
        self.read_items(file, folder, parsed.items, parent)
    }

    fn read_items(
        &mut self,
        file: &Path,
        folder: &Path,
        items: Vec<syn::Item>,
        parent: Option<usize>,
    ) -> Result<usize, SyntaxError> {
        let index = self.modules.len();
        self.modules.push(Module::new(file, parent));
        let mut reader = ModuleReader { module: Module::new(file, parent) };
        for item in items {
            match item {
                syn::Item::Mod(declared) if is_test(&declared.attrs) => {}
                syn::Item::Mod(declared) => {
                    let name = declared.ident.to_string();
                    let below = folder.join(&name);
                    let child = match declared.content {
                        Some((_, items)) => self.read_items(file, &below, items, Some(index))?,
                        None => self.read_file(&self.file_of(file, folder, &name)?, &below, Some(index))?,
                    };
                    reader.module.children.insert(name, child);
                }
                item => {
                    reader.module.items.extend(defined(&item));
                    reader.visit_item(&item);
                }
            }
        }
        if let Some(place) = self.modules.get_mut(index) {
            *place = reader.module;
        }
        Ok(index)
    }

    /// The file of the module `name` that `file` declares.
    fn file_of(&self, file: &Path, folder: &Path, name: &str) -> Result<PathBuf, SyntaxError> {
        [folder.join(format!("{name}.rs")), folder.join(name).join("mod.rs")]
            .into_iter()
            .find(|candidate| self.files.contains_key(candidate))
            .ok_or_else(|| SyntaxError::NoFile { file: file.to_owned(), module: name.to_owned() })
    }
}

/// The name that an item defines, and whether it is a type's.
fn defined(item: &syn::Item) -> Option<(String, bool)> {
    let (name, is_type) = match item {
        syn::Item::Const(item) => (&item.ident, false),
        syn::Item::Enum(item) => (&item.ident, true),
        syn::Item::Fn(item) => (&item.sig.ident, false),
        syn::Item::Macro(item) => (item.ident.as_ref()?, false),
        syn::Item::Static(item) => (&item.ident, false),
        syn::Item::Struct(item) => (&item.ident, true),
        syn::Item::Trait(item) => (&item.ident, true),
        syn::Item::TraitAlias(item) => (&item.ident, true),
        syn::Item::Type(item) => (&item.ident, true),
        syn::Item::Union(item) => (&item.ident, true),
        _ => return None,
    };
    Some((name.to_string(), is_type))
}

/// Whether an item exists in tests only: `#[cfg(test)]`, `#[cfg(all(test, ...))]`.
fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let syn::Meta::List(list) = &attribute.meta else { return false };
        let condition = list.tokens.to_string();
        attribute.path().is_ident("cfg") && (condition == "test" || condition.starts_with("all (test"))
    })
}

impl Module {
    fn new(file: &Path, parent: Option<usize>) -> Self {
        Self {
            file: file.to_owned(),
            parent,
            children: BTreeMap::new(),
            items: BTreeMap::new(),
            imports: BTreeMap::new(),
            globs: Vec::new(),
            mentions: Vec::new(),
        }
    }
}

/// Collects what the items of one module import and mention.
struct ModuleReader {
    module: Module,
}

impl ModuleReader {
    fn import(&mut self, tree: &syn::UseTree, before: &[String], is_mention: bool) {
        let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        let (name, path) = match tree {
            syn::UseTree::Path(path) => return self.import(&path.tree, &with(&path.ident), is_mention),
            syn::UseTree::Group(group) => {
                return group.items.iter().for_each(|tree| self.import(tree, before, is_mention));
            }
            syn::UseTree::Glob(_) => return self.module.globs.push(before.to_vec()),
            syn::UseTree::Name(name) if name.ident == "self" => (before.last().cloned(), before.to_vec()),
            syn::UseTree::Name(name) => (Some(name.ident.to_string()), with(&name.ident)),
            syn::UseTree::Rename(name) => (Some(name.rename.to_string()), with(&name.ident)),
        };
        if is_mention {
            self.module.mentions.push(path.clone());
        }
        self.module.imports.extend(name.map(|name| (name, path)));
    }

    /// Paths in what a macro is given, which the parser does not look into.
    fn mention_in_tokens(&mut self, tokens: TokenStream) {
        let mut path = Names::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(name) if colons == 2 || path.is_empty() => path.push(name.to_string()),
                TokenTree::Ident(name) => {
                    self.module.mentions.push(mem::replace(&mut path, vec![name.to_string()]));
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' && !path.is_empty() => {
                    colons += 1;
                    continue;
                }
                TokenTree::Group(group) => {
                    self.module.mentions.push(mem::take(&mut path));
                    self.mention_in_tokens(group.stream());
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => self.module.mentions.push(mem::take(&mut path)),
            }
            colons = 0;
        }
        self.module.mentions.push(path);
    }
}

impl<'ast> Visit<'ast> for ModuleReader {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if item.leading_colon.is_none() && !is_test(&item.attrs) {
            self.import(&item.tree, &[], matches!(item.vis, syn::Visibility::Inherited));
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() {
            self.module.mentions.push(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        self.mention_in_tokens(item.tokens.clone());
        visit::visit_macro(self, item);
    }

    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        if let syn::Meta::List(list) = &attribute.meta {
            self.mention_in_tokens(list.tokens.clone());
        }
    }

    /// `pub(in crate::gateway)` says who may use an item, and uses nothing itself.
    fn visit_vis_restricted(&mut self, _: &'ast syn::VisRestricted) {}

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if !is_test(&item.attrs) {
            visit::visit_item_fn(self, item);
        }
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        if !is_test(&item.attrs) {
            visit::visit_item_impl(self, item);
        }
    }
}
