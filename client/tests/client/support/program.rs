//! Runs of programs: the client, and others through its proxy.

use std::{
    ffi::OsStr,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, ChildStdin, Command, Output, Stdio},
};

use safetp_pod::{isolate, run_with_input};

/// A program that is about to run, without a terminal, a home or anything else of whoever runs the tests.
pub(crate) struct Program {
    command: Command,
    input: Vec<u8>,
}

/// What a run has left.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: Option<i32>,
    pub(crate) out: Vec<u8>,
    pub(crate) err: String,
}

impl Program {
    /// The client, in this directory, which is also its home.
    pub(crate) fn new(directory: &Path, args: &[&str]) -> Self {
        Self::other(env!("CARGO_BIN_EXE_safetp"), directory, args)
    }

    /// Another program.
    pub(crate) fn other(name: &str, directory: &Path, args: &[&str]) -> Self {
        let mut command = Command::new(name);
        isolate(command.args(args), directory);
        Self { command, input: Vec::new() }
    }

    pub(crate) fn arg(&mut self, arg: impl AsRef<OsStr>) -> &mut Self {
        self.command.arg(arg);
        self
    }

    pub(crate) fn args(&mut self, args: &[&str]) -> &mut Self {
        self.command.args(args);
        self
    }

    pub(crate) fn env(&mut self, name: &str, value: impl AsRef<OsStr>) -> &mut Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn without_env(&mut self, name: &str) -> &mut Self {
        self.command.env_remove(name);
        self
    }

    pub(crate) fn input(&mut self, octets: &[u8]) -> &mut Self {
        self.input = octets.to_vec();
        self
    }

    /// Starts it and leaves it to the test.
    pub(crate) fn start(&mut self) -> Running {
        Running {
            child: self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap(),
        }
    }

    pub(crate) fn run(&mut self) -> Outcome {
        let input = std::mem::take(&mut self.input);
        let Output { status, stdout, stderr } = run_with_input(&mut self.command, input);
        Outcome { code: status.code(), out: stdout, err: String::from_utf8_lossy(&stderr).into_owned() }
    }
}

impl Outcome {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.out).into_owned()
    }

    /// Done, and nothing to remark.
    #[track_caller]
    pub(crate) fn is_done(&self) -> &Self {
        assert_eq!(self.code, Some(0), "{}", self.err);
        self
    }

    /// Failed with this exit code and these words.
    #[track_caller]
    pub(crate) fn is_failure(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{}", self.err);
        for word in words {
            assert!(self.err.contains(word), "{word} is missing:\n{}", self.err);
        }
    }
}

/// A program while it runs. It is killed with this.
pub(crate) struct Running {
    child: Child,
}

impl Running {
    pub(crate) fn input(&mut self) -> &mut ChildStdin {
        self.child.stdin.as_mut().unwrap()
    }

    /// What it prints, line by line.
    pub(crate) fn lines(&mut self) -> impl Iterator<Item = std::io::Result<String>> + use<> {
        BufReader::new(self.child.stdout.take().unwrap()).lines()
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `safetp proxy` while it runs.
pub(crate) struct Proxy {
    _running: Running,
    /// Where it listens, on loopback.
    pub(crate) port: u16,
}

impl Proxy {
    /// Starts it and waits for its first line.
    pub(crate) fn start(program: &mut Program) -> Self {
        let mut running = program.start();
        let port = running.lines().next().unwrap().unwrap().parse().unwrap();
        Self { _running: running, port }
    }
}
