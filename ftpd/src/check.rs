//! What the kubelet and the tests ask from inside the container.

use std::{
    io::{self, Read as _, Write},
    os::unix::net::UnixStream,
    path::Path,
    time::Duration,
};

use crate::shut_in::{Reach, ShutInError, shut_in, trials};

const PATIENCE: Duration = Duration::from_secs(5);

/// Why the server does not seem to serve.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// Nobody listens, or nobody answers.
    #[error("failed to be greeted: {0}")]
    Io(#[from] io::Error),
    /// Something else than a 220 came.
    #[error("the greeting is not 220 but {0:?}")]
    Greeting(String),
}

/// Why the process is not shut in.
#[derive(Debug, thiserror::Error)]
pub enum ShutInCheckError {
    /// It could not be done.
    #[error(transparent)]
    ShutIn(#[from] ShutInError),
    /// The findings could not be written.
    #[error("failed to write: {0}")]
    Write(#[from] io::Error),
    /// Something was possible that must not be.
    #[error("the fences let through: {0}")]
    Open(String),
}

/// Shuts this process in as the server does, tries to get out, and writes a line for each attempt.
pub fn fences(reach: &Reach, mut out: impl Write) -> Result<(), ShutInCheckError> {
    let fences = shut_in(reach)?;
    writeln!(out, "landlock: {:?}", fences.landlock)?;
    let mut open = Vec::new();
    for trial in trials(fences) {
        match &trial.outcome {
            Ok(()) => writeln!(out, "{}: possible", trial.what)?,
            Err(error) => writeln!(out, "{}: refused ({error})", trial.what)?,
        }
        if !trial.passed() {
            open.push(trial.what);
        }
    }
    if open.is_empty() { Ok(()) } else { Err(ShutInCheckError::Open(open.join(", "))) }
}

/// Connects and expects the greeting.
pub fn greeting(socket: &Path) -> Result<(), CheckError> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut code = [0; 4];
    stream.read_exact(&mut code)?;
    if &code == b"220 " { Ok(()) } else { Err(CheckError::Greeting(String::from_utf8_lossy(&code).into_owned())) }
}
