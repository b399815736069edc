//! Why a command was not done, and the reply that says so.

use std::io;

use safetp_protocol::reply::Reply;

use super::path::{BadPath, VirtualPath};

/// Why a command was not done. Its text is the reply's.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("Log in first, with USER and PASS.")]
    NotLoggedIn,
    #[error("{0}")]
    Arguments(&'static str),
    #[error("{0}")]
    Order(&'static str),
    #[error("That is not served here.")]
    Unsupported,
    #[error("That command is unknown.")]
    Unknown,
    #[error("{0}")]
    Parameter(&'static str),
    #[error("This account may only read.")]
    ReadOnly,
    #[error(transparent)]
    Path(#[from] BadPath),
    #[error("{path}: {}", sentence(source))]
    File { path: VirtualPath, source: io::Error },
    #[error("{path}: {}", sentence(source))]
    Store { path: VirtualPath, source: io::Error },
    #[error("{0}: that is a directory.")]
    IsDirectory(VirtualPath),
    #[error("{0}: that is no regular file.")]
    NotRegular(VirtualPath),
    #[error("{0}: a file cannot be stored under this name.")]
    StoreName(VirtualPath),
    #[error("{0}: the root stays where it is.")]
    Root(VirtualPath),
    #[error("REST {wanted}, but only {length} octets are here.")]
    RestartTooFar { wanted: u64, length: u64 },
    #[error("RANG ends at octet {last}, but only {length} octets are here.")]
    RangeTooFar { last: u64, length: u64 },
    #[error("Hashing took too long: ask for shorter ranges with RANG, or try again later.")]
    HashTooLong,
    #[error("{0}: the file changed in the meantime; try again.")]
    Changed(VirtualPath),
    #[error("{0}: REST at the end of this file, but a newer upload of it broke off: upload all of it, from 0.")]
    OtherVersion(VirtualPath),
    #[error(
        "{0}: other clients appended to this file in the meantime; what came is kept, the file is as they left it."
    )]
    AppendedTo(VirtualPath),
    #[error("{0}: the file that was to be continued has changed in the meantime; nothing was stored.")]
    Replaced(VirtualPath),
    #[error("{0}: another session is uploading this file.")]
    Busy(VirtualPath),
    #[error("The size in TYPE A is not known before the transfer: use TYPE I.")]
    SizeOfText,
    #[error("This tree is too large to be listed whole, and what came is only its beginning: list its directories.")]
    TreeTooLarge,
    #[error("The server failed at this command; its log says more.")]
    Internal,
}

impl Refusal {
    /// For `map_err` on file work.
    pub(crate) fn file(path: &VirtualPath) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.clone();
        move |source| Self::File { path, source }
    }

    /// For `map_err` where an upload needs another code than reading does (553).
    pub(crate) fn store(path: &VirtualPath) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.clone();
        move |source| Self::Store { path, source }
    }

    /// The path that the text begins with.
    fn path(&self) -> Option<&VirtualPath> {
        match self {
            Self::File { path, .. }
            | Self::Store { path, .. }
            | Self::IsDirectory(path)
            | Self::NotRegular(path)
            | Self::StoreName(path)
            | Self::Root(path)
            | Self::OtherVersion(path)
            | Self::AppendedTo(path)
            | Self::Replaced(path)
            | Self::Busy(path)
            | Self::Changed(path) => Some(path),
            _ => None,
        }
    }

    /// The reply's text, with names octet for octet.
    fn octets(&self) -> Vec<u8> {
        let text = self.to_string();
        let octets = self.path().and_then(|path| {
            let rest = text.strip_prefix(&path.to_string())?;
            Some([path.octets().as_slice(), rest.as_bytes()].concat())
        });
        octets.unwrap_or_else(|| text.into_bytes())
    }

    /// Whether it was for want of space.
    pub(super) fn is_full(&self) -> bool {
        self.code() == 552
    }

    /// Whether the volume itself failed, so that nothing is certain of what was written.
    pub(super) fn is_volume_failure(&self) -> bool {
        matches!(self, Self::File { .. } | Self::Store { .. }) && self.code() == 451
    }

    fn code(&self) -> u16 {
        match self {
            Self::NotLoggedIn => 530,
            Self::Arguments(_) | Self::Path(BadPath::ControlOctet) => 501,
            Self::Order(_) => 503,
            Self::Unsupported => 502,
            Self::Unknown => 500,
            Self::Parameter(_) => 504,
            Self::ReadOnly
            | Self::Path(BadPath::Reserved)
            | Self::IsDirectory(_)
            | Self::NotRegular(_)
            | Self::Root(_)
            | Self::SizeOfText => 550,
            Self::StoreName(_) | Self::AppendedTo(_) | Self::Replaced(_) | Self::Path(BadPath::ControlCharacter) => 553,
            Self::RestartTooFar { .. } | Self::RangeTooFar { .. } | Self::OtherVersion(_) => 554,
            Self::Busy(_) | Self::HashTooLong | Self::Changed(_) => 450,
            Self::Internal | Self::TreeTooLarge => 451,
            Self::File { source, .. } => code_of(source, 550),
            Self::Store { source, .. } => code_of(source, 553),
        }
    }
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        let code = refusal.code();
        if let Refusal::File { path, source } | Refusal::Store { path, source } = &refusal
            && matches!(code, 451 | 552)
        {
            tracing::error!(%path, %source, "the volume failed");
        }
        Self::new(code, refusal.octets())
    }
}

fn code_of(error: &io::Error, refused: u16) -> u16 {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => 552,
        io::ErrorKind::WouldBlock | io::ErrorKind::ResourceBusy => 450,
        io::ErrorKind::NotFound
        | io::ErrorKind::PermissionDenied
        | io::ErrorKind::AlreadyExists
        | io::ErrorKind::NotADirectory
        | io::ErrorKind::IsADirectory
        | io::ErrorKind::DirectoryNotEmpty
        | io::ErrorKind::InvalidFilename
        | io::ErrorKind::ReadOnlyFilesystem
        | io::ErrorKind::CrossesDevices
        | io::ErrorKind::FileTooLarge
        | io::ErrorKind::InvalidInput => refused,
        _ => 451,
    }
}

/// The kernel's words without the number, which is nothing for people.
fn sentence(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file or directory.",
        io::ErrorKind::PermissionDenied => "permission denied.",
        io::ErrorKind::AlreadyExists => "that exists already.",
        io::ErrorKind::NotADirectory => "that is not a directory.",
        io::ErrorKind::IsADirectory => "that is a directory.",
        io::ErrorKind::DirectoryNotEmpty => "the directory is not empty.",
        io::ErrorKind::InvalidFilename => "the name is too long.",
        io::ErrorKind::ReadOnlyFilesystem => "the volume can only be read.",
        io::ErrorKind::StorageFull => "the volume is full.",
        io::ErrorKind::QuotaExceeded => "the quota is used up.",
        io::ErrorKind::WouldBlock | io::ErrorKind::ResourceBusy => "somebody else works on it; try again.",
        io::ErrorKind::FileTooLarge => "too large for this volume.",
        io::ErrorKind::InvalidInput => "that name cannot be used.",
        io::ErrorKind::CrossesDevices => "that lies on another volume.",
        _ => "the volume failed.",
    }
}
