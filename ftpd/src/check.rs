//! What the kubelet asks from inside the container.

use std::{
    io::{self, Read as _},
    os::unix::net::UnixStream,
    path::Path,
    time::Duration,
};

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

/// Connects and expects the greeting.
pub fn greeting(socket: &Path) -> Result<(), CheckError> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut code = [0; 4];
    stream.read_exact(&mut code)?;
    if &code == b"220 " { Ok(()) } else { Err(CheckError::Greeting(String::from_utf8_lossy(&code).into_owned())) }
}
