//! `GET /status` on the gateway's admin port: what is in force right now. The operator's Ready waits for it.

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};

use crate::{Digest, paths};

/// The digest of a gateway's files. Keys are left out, since the digest of a secret would be a secret to protect: the
/// certificate stands for its own, and for [`paths::DSA_KEY_FILE`] the fingerprint of its public key, which both sides
/// have only where X-SafeTP1 is listed.
pub fn gateway_digest(config: &[u8], certificate: &[u8], dsa_fingerprint: Option<&str>) -> Digest {
    let files = [(paths::GATEWAY_FILE, config), (paths::CERTIFICATE_FILE, certificate)];
    let dsa = dsa_fingerprint.map(|fingerprint| (paths::DSA_KEY_FILE, fingerprint.as_bytes()));
    Digest::of(files.into_iter().chain(dsa))
}

/// The answer, as JSON. New fields may be added: readers ignore what they do not know.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewayStatus {
    /// The address that the next PASV announces, absent while none is known.
    pub address: Option<String>,
    /// [`gateway_digest`] of what was loaded.
    pub gateway_digest: Option<Digest>,
    /// Digest of [`crate::paths::FTPD_FILE`] and [`crate::paths::USERS_FILE`], in this order, as the ftpd told it.
    pub ftpd_digest: Option<Digest>,
    /// Why the newest files are not in force, or not to the letter: the sentence for the condition.
    pub problem: Option<String>,
    /// Control connections at this moment.
    pub sessions: u32,
    /// Data connections since the start that were taken under `WhenOffered` with neither a TLS ticket of their
    /// session nor a peer address that tells clients apart.
    #[serde(default)]
    pub weak_bindings: u64,
    /// Logins, of which an upload was turned away since the start for want of `close_notify` at its end. Not all, where
    /// they are many.
    #[serde(default)]
    pub unclosed_uploads: BTreeSet<String>,
    /// How much of Landlock the gateway is under; absent: a version that does not report it.
    #[serde(default)]
    pub gateway_landlock: Option<Landlock>,
    /// The same of the ftpd, as it told the gateway.
    #[serde(default)]
    pub ftpd_landlock: Option<Landlock>,
}

/// How far a program is fenced in by Landlock, which depends on the node's kernel. The worst comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Landlock {
    /// The kernel has none: the container's own mounts and the seccomp filter are the only fences.
    Missing,
    /// What an older kernel has of it: files since Linux 5.13, TCP ports since 6.7, other processes' abstract sockets
    /// and signals since 6.12.
    Partial,
    /// All that the program knows of.
    Full,
}

impl fmt::Display for Landlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "Missing",
            Self::Partial => "Partial",
            Self::Full => "Full",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_dsa_key_changes_the_digest_and_its_absence_leaves_the_one_of_the_files() {
        let of_files = Digest::of([(paths::GATEWAY_FILE, b"{}".as_slice()), (paths::CERTIFICATE_FILE, b"pem")]);
        assert_eq!(gateway_digest(b"{}", b"pem", None), of_files);
        let one = gateway_digest(b"{}", b"pem", Some("SHA256:one"));
        assert_ne!(one, of_files);
        assert_ne!(one, gateway_digest(b"{}", b"pem", Some("SHA256:other")));
    }

    #[test]
    fn an_older_gateway_has_no_weak_bindings() {
        let status: GatewayStatus = serde_json::from_str(r#"{"sessions": 3}"#).unwrap();
        assert_eq!((status.sessions, status.weak_bindings), (3, 0));
        assert_eq!((status.gateway_landlock, status.ftpd_landlock), (None, None));
    }

    #[test]
    fn landlock_is_printed_as_it_is_read() {
        for landlock in [Landlock::Missing, Landlock::Partial, Landlock::Full] {
            assert_eq!(serde_json::to_value(landlock).unwrap(), landlock.to_string());
        }
    }
}
