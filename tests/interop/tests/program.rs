//! Programs of this crate, and where its files are.

use std::path::{Path, PathBuf};

use safetp_pod::Program;

/// Debian's own, whose libraries `tests/setup` installs.
const PYTHON: &str = "/usr/bin/python3";

/// The Python that `tests/setup` prepares, with the modules of this crate.
pub(crate) fn python(directory: &Path) -> Program {
    with_modules(Program::new(PYTHON, directory))
}

/// As [`python`], for a server, which the test ends.
pub(crate) fn python_server(directory: &Path) -> Program {
    with_modules(Program::without_limit(PYTHON, directory))
}

/// The client of this repository.
pub(crate) fn safetp(directory: &Path) -> Program {
    Program::new(env!("CARGO_BIN_EXE_safetp-of-interop"), directory)
}

/// A file or folder of this crate.
pub(crate) fn sources(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The folder of programs that are built for the tests.
pub(crate) fn builds(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("interop").join(name)
}

fn with_modules(mut python: Program) -> Program {
    python.env("PYTHONPATH", sources("")).env("PYTHONDONTWRITEBYTECODE", "1");
    python
}
