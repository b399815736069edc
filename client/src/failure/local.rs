//! Failures of local files and of the terminal (exit code 7).

use std::{
    io,
    path::{Path, PathBuf},
};

/// A failure of a local file or of the terminal.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LocalError {
    /// The system refused.
    #[error("failed to {action} {}: {source}", path.display())]
    File {
        /// A verb: failed to ...
        action: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    /// The file can be used, but that would be unsafe or wrong.
    #[error("{}: {reason}", path.display())]
    Unfit { path: PathBuf, reason: String, advice: &'static str },
    /// The terminal, or the file or pipe in place of it.
    #[error("failed to {action}: {source}")]
    Terminal {
        /// A verb: failed to ...
        action: &'static str,
        source: io::Error,
    },
}

impl LocalError {
    /// For `map_err`: `action` failed on this file.
    pub(crate) fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { action, path, source }
    }

    /// For `map_err`: `action` failed at the terminal.
    pub(crate) fn terminal(action: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Terminal { action, source }
    }

    pub(super) fn advice(&self) -> Option<&'static str> {
        match self {
            Self::Unfit { advice, .. } => Some(advice),
            Self::File { .. } | Self::Terminal { .. } => None,
        }
    }
}
