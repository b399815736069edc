//! Whose login it is, as far as limits are concerned.

pub(super) use safetp_protocol::origin::Origin;

/// A login's origin and the digest of its name: names of unknown length are not worth keeping. All logins of sessions
/// whose gateway did not tell an address have one origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Who {
    pub(super) origin: Option<Origin>,
    pub(super) name: u64,
}
