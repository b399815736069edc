//! Files and the terminal of this machine.

use std::{
    io,
    path::{Path, PathBuf},
};

/// A file of this machine.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LocalError {
    /// The system said no.
    #[error("failed to {action} {}: {source}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The system lets us, but it would not be right.
    #[error("{}: {reason}", path.display())]
    Unfit {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
        /// What to do next.
        advice: &'static str,
    },
    /// The terminal, or what stands in for it.
    #[error("failed to {action}: {source}")]
    Terminal {
        /// What was tried.
        action: &'static str,
        /// Why not.
        source: io::Error,
    },
}

impl LocalError {
    /// For `map_err`: what was tried on which file.
    pub(crate) fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { action, path, source }
    }

    /// For `map_err`: what was tried at the terminal.
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
