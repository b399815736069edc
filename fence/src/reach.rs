//! The files and ports that a program can still reach once it is shut in.

use std::path::PathBuf;

/// Files and ports that a program can still reach. Everything else is out of reach, as far as the node's kernel has
/// Landlock.
#[derive(Clone, Debug)]
pub struct Reach {
    /// Files and directories, each with the use of it and of what is beneath it.
    pub paths: Vec<(PathBuf, Use)>,
    /// TCP ports that can be listened on. 0 is any port that the system chooses.
    pub listen: Vec<u16>,
    /// TCP ports that can be dialled.
    pub dial: Dial,
}

/// Use of a path.
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
