//! The repository that the rules look at: the text files that git knows, and the crates that cargo knows.

use std::{
    collections::BTreeMap,
    env, fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use crate::modules::{Module, SyntaxError, read_crate};

/// The text files of a repository and its crates. Every path is relative to the repository.
#[derive(Debug)]
pub struct Repository {
    pub(crate) files: BTreeMap<PathBuf, String>,
    pub(crate) crates: Vec<Crate>,
}

/// A library or a program. Test suites and examples are left out.
#[derive(Debug)]
pub(crate) struct Crate {
    /// The package's folder.
    pub folder: PathBuf,
    pub modules: Vec<Module>,
}

/// A failure to read the repository.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A program does not start.
    #[error("failed to run {0}: {1}")]
    Start(&'static str, #[source] io::Error),
    /// A program fails.
    #[error("{0} failed: {1}")]
    Failed(&'static str, String),
    /// `cargo metadata` printed something else than it documents.
    #[error("failed to read the output of cargo metadata: {0}")]
    Metadata(#[source] serde_json::Error),
    /// The sources of a crate cannot be understood.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
}

impl Repository {
    /// Reads the repository in `root`, an absolute path.
    pub fn read(root: &Path) -> Result<Self, ReadError> {
        Self::new(files(root)?, &crates(root)?)
    }

    /// A repository of `files` with texts, and of `crates`: each a package's folder and a root module's file.
    pub fn new(files: BTreeMap<PathBuf, String>, crates: &[(PathBuf, PathBuf)]) -> Result<Self, ReadError> {
        let read = |(folder, root): &(PathBuf, PathBuf)| {
            Ok(Crate { folder: folder.clone(), modules: read_crate(&files, root)? })
        };
        let crates = crates.iter().map(read).collect::<Result<_, SyntaxError>>()?;
        Ok(Self { files, crates })
    }

    /// The file of each crate's root module.
    pub fn crate_roots(&self) -> Vec<&Path> {
        self.crates.iter().filter_map(|each| Some(each.modules.first()?.file.as_path())).collect()
    }

    /// The files whose names end in `.{extension}`, with their texts.
    pub(crate) fn with_extension(&self, extension: &str) -> impl Iterator<Item = (&Path, &str)> {
        self.files
            .iter()
            .filter(move |(file, _)| file.extension().is_some_and(|found| found == extension))
            .map(|(file, text)| (file.as_path(), text.as_str()))
    }
}

fn files(root: &Path) -> Result<BTreeMap<PathBuf, String>, ReadError> {
    let mut command = Command::new("git");
    command.args(["ls-files", "--cached", "--others", "--exclude-standard"]);
    let listed = output("git ls-files", command.current_dir(root))?;
    // What is not text, or deleted and not yet committed, has nothing to look at.
    let read = |file: &str| Some((PathBuf::from(file), fs::read_to_string(root.join(file)).ok()?));
    Ok(listed.lines().filter_map(read).collect())
}

fn crates(root: &Path) -> Result<Vec<(PathBuf, PathBuf)>, ReadError> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["metadata", "--no-deps", "--offline", "--format-version", "1"]);
    let printed = output("cargo metadata", command.current_dir(root))?;
    let metadata: Value = serde_json::from_str(&printed).map_err(ReadError::Metadata)?;
    Ok(list(&metadata, "packages").flat_map(|package| crates_of(root, package)).collect())
}

fn crates_of(root: &Path, package: &Value) -> Vec<(PathBuf, PathBuf)> {
    let relative = |value: Option<&Value>| {
        let path = Path::new(value.and_then(Value::as_str)?);
        path.strip_prefix(root).ok().map(Path::to_owned)
    };
    let Some(manifest) = relative(package.get("manifest_path")) else { return Vec::new() };
    let folder = manifest.parent().unwrap_or(Path::new("")).to_owned();
    let is_product = |target: &&Value| list(target, "kind").any(|kind| kind == "lib" || kind == "bin");
    list(package, "targets")
        .filter(is_product)
        .filter_map(|target| Some((folder.clone(), relative(target.get("src_path"))?)))
        .collect()
}

fn list<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}

fn output(name: &'static str, command: &mut Command) -> Result<String, ReadError> {
    let output = command.output().map_err(|error| ReadError::Start(name, error))?;
    if !output.status.success() {
        return Err(ReadError::Failed(name, String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
