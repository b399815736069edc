//! The protection of a session's data connections, as PBSZ and PROT have set it (RFC 2228).

use safetp_protocol::security::safetp1::{BlockSize, DataKeys, Level};

/// How the data connections of a session are protected.
#[derive(Debug)]
pub(in crate::session) enum Protection {
    /// PROT has not been sent, so no data connection may be opened.
    Unset,
    /// PROT C.
    Clear,
    /// PROT P under TLS.
    Tls,
    /// PROT S or P under X-SafeTP1.
    Blocks { keys: DataKeys, level: Level, size: BlockSize },
}
