//! Runs of programs.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use safetp_pod::{isolate, run_with_input};

/// Longer than any run takes, so that a hang is a failure and not a hang.
const TIME_LIMIT: &str = "100";

/// Debian's own, whose libraries `tests/setup` installs.
const PYTHON: &str = "/usr/bin/python3";

/// A program that is about to run, with nothing of whoever runs the tests.
pub(crate) struct Program {
    command: Command,
    input: Vec<u8>,
}

/// What a run has left.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) success: bool,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Program {
    pub(crate) fn new(name: impl AsRef<OsStr>, directory: &Path) -> Self {
        let mut program = Self::of(Command::new("timeout"), directory);
        program.args([TIME_LIMIT.as_ref(), name.as_ref()]);
        program
    }

    /// The Python that `tests/setup` prepares, with the modules of this crate.
    pub(crate) fn python(directory: &Path) -> Self {
        let mut python = Self::new(PYTHON, directory);
        python.env("PYTHONPATH", sources("")).env("PYTHONDONTWRITEBYTECODE", "1");
        python
    }

    /// The same for what does not end by itself: whoever starts it ends it.
    pub(crate) fn python_server(directory: &Path) -> Self {
        let mut python = Self::of(Command::new(PYTHON), directory);
        python.env("PYTHONPATH", sources("")).env("PYTHONDONTWRITEBYTECODE", "1");
        python
    }

    /// The client of this repository.
    pub(crate) fn safetp(directory: &Path) -> Self {
        Self::new(env!("CARGO_BIN_EXE_safetp-of-interop"), directory)
    }

    fn of(mut command: Command, directory: &Path) -> Self {
        isolate(&mut command, directory);
        Self { command, input: Vec::new() }
    }

    pub(crate) fn args<S: AsRef<OsStr>>(&mut self, args: impl IntoIterator<Item = S>) -> &mut Self {
        self.command.args(args);
        self
    }

    pub(crate) fn env(&mut self, name: &str, value: impl AsRef<OsStr>) -> &mut Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn input(&mut self, text: &str) -> &mut Self {
        self.input = text.into();
        self
    }

    pub(crate) fn run(&mut self) -> Run {
        let input = std::mem::take(&mut self.input);
        let Output { status, stdout, stderr } = run_with_input(&mut self.command, input);
        assert_ne!(status.code(), Some(124), "no end after {TIME_LIMIT} s: {:?}", self.command);
        let text = |octets: Vec<u8>| String::from_utf8_lossy(&octets).into_owned();
        Run { success: status.success(), out: text(stdout), err: text(stderr) }
    }

    /// The command itself, for what is not run to its end.
    pub(crate) fn command(&mut self) -> &mut Command {
        &mut self.command
    }
}

impl Run {
    #[track_caller]
    pub(crate) fn is_done(&self) -> &Self {
        assert!(self.success, "{}\n{}", self.out, self.err);
        self
    }

    #[track_caller]
    pub(crate) fn is_failure(&self, word: &str) {
        assert!(!self.success && self.err.contains(word), "{word} is missing:\n{}\n{}", self.out, self.err);
    }
}

/// A file or folder of this crate.
pub(crate) fn sources(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Where programs are built.
pub(crate) fn builds(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("interop").join(name)
}
