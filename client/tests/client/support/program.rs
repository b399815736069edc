//! The client's program, and its proxy while it runs.

use std::path::Path;

use safetp_pod::{Program, Running};

/// The client, in this directory, which is also its home.
pub(crate) fn safetp(directory: &Path, args: &[&str]) -> Program {
    other(env!("CARGO_BIN_EXE_safetp"), directory, args)
}

/// Another program.
pub(crate) fn other(name: &str, directory: &Path, args: &[&str]) -> Program {
    let mut program = Program::without_limit(name, directory);
    program.args(args);
    program
}

/// `safetp proxy` while it runs.
pub(crate) struct Proxy {
    _running: Running,
    /// Its port on loopback.
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
