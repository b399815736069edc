//! The load: what each server has to do in one turn, and how much of it.

use std::time::Duration;

/// A part of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Part {
    /// Sessions that do nothing.
    Idle,
    /// One large file to the client.
    Download,
    /// One large file from the client.
    Upload,
    /// One session after the other.
    Logins,
    /// Small files, up and then down.
    Files,
    /// The ciphers of X-SafeTP1, in memory and without a server.
    Cipher,
}

impl Part {
    /// In the order of a turn: what an idle session needs must not hide in what an earlier part has left.
    pub(crate) const ALL: &'static [Self] =
        &[Self::Idle, Self::Download, Self::Upload, Self::Logins, Self::Files, Self::Cipher];
}

/// Amounts of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Load {
    /// Turns of each server.
    pub(crate) rounds: usize,
    /// Size of the file that is downloaded and of the one that is uploaded.
    pub(crate) mebibytes: u64,
    /// Sessions that are logged in and idle, all at once.
    pub(crate) idle_sessions: u32,
    /// Logins, one after the other.
    pub(crate) logins: u32,
    /// Files of 4 KiB, one after the other in one session.
    pub(crate) files: u32,
    /// Time that each cipher gets.
    pub(crate) cipher: Duration,
}

impl Load {
    pub(crate) const FULL: Self = Self {
        rounds: 5,
        mebibytes: 1024,
        idle_sessions: 1000,
        logins: 500,
        files: 500,
        cipher: Duration::from_secs(1),
    };
    pub(crate) const QUICK: Self =
        Self { rounds: 1, mebibytes: 16, idle_sessions: 10, logins: 5, files: 5, cipher: Duration::from_millis(20) };
}
