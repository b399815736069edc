//! Shuts the process in before it serves: no socket but Unix ones, no file but the volume's, the socket's directory and
//! the configuration.

use std::path::PathBuf;

/// What the process may still reach.
#[derive(Clone, Debug)]
pub struct Reach {
    /// Read and written: the volume.
    pub data: PathBuf,
    /// The socket's directory.
    pub run: PathBuf,
    /// Read only.
    pub config: PathBuf,
}
