//! Paths. The builds of a checkout are in its `target/testbed`; the state of the running cluster is in one place of the
//! machine, so that any checkout finds it and can end it.

use std::path::{Path, PathBuf};

use crate::error::{Doing as _, Result};

/// State of the running cluster: containers, volumes, etcd. Outside of `target`, so that removing a build never reaches
/// into a mounted volume.
pub(crate) const STATE: &str = "/var/lib/safetp-testbed";
/// Sockets and records of processes: short paths, since a Unix socket's has 108 octets at most.
pub(crate) const RUN: &str = "/run/safetp-testbed";

/// The folders of one checkout.
#[derive(Clone, Debug)]
pub struct Layout {
    source: PathBuf,
    target: PathBuf,
}

impl Layout {
    /// The layout of the checkout that this program was built from.
    pub fn of_checkout() -> Self {
        let source = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        let root = source.ancestors().nth(2).unwrap_or(&source).to_owned();
        Self { source, target: root.join("target/testbed") }
    }

    /// The folder of a Go module that pins one family of programs.
    pub(crate) fn module(&self, family: &str) -> PathBuf {
        self.source.join("go").join(family)
    }

    /// The kubeconfig of the cluster's administrator, usable from the host.
    pub fn kubeconfig(&self) -> PathBuf {
        self.target.join("kubeconfig")
    }

    /// A program of the test bed, such as `kubectl` or `helm`.
    pub fn program(&self, name: &str) -> PathBuf {
        self.bin().join(name)
    }

    pub(crate) fn bin(&self) -> PathBuf {
        self.target.join("bin")
    }

    pub(crate) fn images(&self) -> PathBuf {
        self.target.join("images")
    }

    /// The log of one program or step.
    pub(crate) fn log(&self, name: &str) -> PathBuf {
        self.target.join("log").join(format!("{name}.log"))
    }

    pub(crate) fn create_folders(&self) -> Result<()> {
        [self.bin(), self.images(), self.target.join("log"), RUN.into(), STATE.into()]
            .iter()
            .try_for_each(|folder| create_folder(folder))
    }
}

/// A file or folder of the running cluster's state.
pub(crate) fn state(name: &str) -> PathBuf {
    Path::new(STATE).join(name)
}

/// A file of the running cluster's sockets and records.
pub(crate) fn run(name: &str) -> PathBuf {
    Path::new(RUN).join(name)
}

/// Creates a folder and those above it.
pub(crate) fn create_folder(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).doing(format_args!("create {}", folder.display()))
}

/// Writes a file of the state, with the folders above it.
pub(crate) fn write(path: &Path, content: impl AsRef<[u8]>) -> Result<()> {
    if let Some(folder) = path.parent() {
        create_folder(folder)?;
    }
    std::fs::write(path, content).doing(format_args!("write {}", path.display()))
}
