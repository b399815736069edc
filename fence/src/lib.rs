//! Shuts a program of the pod in before it serves.
//!
//! All containers of a pod share its network, and both programs read what strangers send. So each of them gives up what
//! it does not need: [`shut_in`] applies Landlock as far as the node's kernel has it ([`Reach`]: files and TCP ports),
//! and a seccomp filter without which the program does not start ([`Calls`]: system calls). Neither can be taken back.
//! [`try_out`] tries from inside what must not be possible.

mod calls;
mod files;
mod trials;

use std::{io, path::PathBuf};

use landlock::{PathFdError, RulesetError};
use seccompiler::BackendError;

pub use calls::Calls;
pub use safetp_config::status::Landlock;
pub use trials::{Bait, Trial, TrialError, try_out};

/// What a program can still reach. Everything else is out of reach, as far as the node's kernel has Landlock.
#[derive(Clone, Debug)]
pub struct Reach {
    /// Files and directories, each with what can be done with it and beneath it.
    pub paths: Vec<(PathBuf, Use)>,
    /// TCP ports that can be listened on. 0 is any port that the system chooses.
    pub listen: Vec<u16>,
    /// TCP ports that can be dialled.
    pub dial: Dial,
}

/// What can be done with a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Read files and directories.
    Read,
    /// Read, write, create and remove files and directories.
    Store,
    /// Create and remove Unix sockets. Connecting to one needs no right.
    Listen,
}

/// TCP ports that can be dialled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dial {
    /// These, on any host: Landlock knows no addresses.
    Ports(Vec<u16>),
    /// Every port: clients choose theirs in active mode.
    Any,
}

/// Why a program could not be shut in.
#[derive(Debug, thiserror::Error)]
pub enum ShutInError {
    /// A path to be left reachable is not there.
    #[error("failed to open a path for Landlock: {0}")]
    Path(#[from] PathFdError),
    /// The rules were refused.
    #[error("failed to apply Landlock: {0}")]
    Landlock(#[from] RulesetError),
    /// The filter cannot be built.
    #[error("failed to build the seccomp filter: {0}")]
    Filter(#[from] BackendError),
    /// The kernel refused the filter.
    #[error("failed to apply the seccomp filter: {0}")]
    Seccomp(#[from] seccompiler::Error),
    /// The bait of a trial cannot be made.
    #[error("failed to prepare a trial: {0}")]
    Bait(#[from] io::Error),
}

/// Shuts the calling thread in, and every thread that it creates from now on: so it comes before any other is created.
/// Returns how much of Landlock is in force.
pub fn shut_in(reach: &Reach, calls: Calls) -> Result<Landlock, ShutInError> {
    // Landlock first: the filter does not let its system calls through.
    let landlock = files::apply(reach)?;
    calls::apply(calls)?;
    Ok(landlock)
}
