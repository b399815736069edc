//! Errors of shutting a program in.

use std::io;

use landlock::{PathFdError, RulesetError};
use seccompiler::BackendError;

/// Reason why a program could not be shut in.
#[derive(Debug, thiserror::Error)]
pub enum ShutInError {
    /// A path that is to stay reachable does not exist.
    #[error("failed to open a path for Landlock: {0}")]
    Path(#[from] PathFdError),
    /// The kernel refused the rules.
    #[error("failed to apply Landlock: {0}")]
    Landlock(#[from] RulesetError),
    /// The filter cannot be built.
    #[error("failed to build the seccomp filter: {0}")]
    Filter(#[from] BackendError),
    /// The kernel refused the filter.
    #[error("failed to apply the seccomp filter: {0}")]
    Seccomp(#[from] seccompiler::Error),
    /// The bait of a trial cannot be created.
    #[error("failed to prepare a trial: {0}")]
    Bait(#[from] io::Error),
}
