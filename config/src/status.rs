//! The answer to `GET /status` on the gateway's admin port: what is in force now. The operator's Ready waits for it.

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};

use crate::{Digest, paths};

/// The digest of a gateway's files. Keys are left out, since the digest of a secret would be a secret to protect: the
/// certificate stands for its key, and the fingerprint of the public key for [`paths::DSA_KEY_FILE`], which both sides
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
    /// Digest of [`crate::paths::FTPD_FILE`] and [`crate::paths::USERS_FILE`], in this order, as the ftpd reports it.
    pub ftpd_digest: Option<Digest>,
    /// Reason why the newest files are not in force, or not in full: the sentence for the condition.
    pub problem: Option<String>,
    /// Control connections that are open.
    pub sessions: u32,
    /// Data connections since the start that were accepted with neither a TLS ticket of their session nor a peer
    /// address that tells clients apart.
    #[serde(default)]
    pub weak_bindings: u64,
    /// Logins of which an upload was refused since the start for want of `close_notify`: the first hundred.
    #[serde(default)]
    pub unclosed_uploads: BTreeSet<String>,
    /// How much of Landlock the gateway is under; absent if its version does not report it.
    #[serde(default)]
    pub gateway_landlock: Option<Landlock>,
    /// How much of Landlock the ftpd is under, as it reports to the gateway.
    #[serde(default)]
    pub ftpd_landlock: Option<Landlock>,
}

/// How much of Landlock a program is under, which depends on the node's kernel. The worst comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Landlock {
    /// Nothing, since the kernel lacks it: the container's mounts and the seccomp filter are the only fences.
    Missing,
    /// The part that an older kernel has: files since Linux 5.13, TCP ports since 6.7, other processes' abstract
    /// sockets and signals since 6.12.
    Partial,
    /// Everything that the program knows of.
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
    fn the_digest_covers_the_dsa_key_where_there_is_one() {
        let of_files = Digest::of([(paths::GATEWAY_FILE, b"{}".as_slice()), (paths::CERTIFICATE_FILE, b"pem")]);
        assert_eq!(gateway_digest(b"{}", b"pem", None), of_files);
        let one = gateway_digest(b"{}", b"pem", Some("SHA256:one"));
        assert_ne!(one, of_files);
        assert_ne!(one, gateway_digest(b"{}", b"pem", Some("SHA256:other")));
    }

    #[test]
    fn the_status_of_an_older_gateway_is_read() {
        let status: GatewayStatus = serde_json::from_str(r#"{"sessions": 3}"#).unwrap();
        assert_eq!((status.sessions, status.weak_bindings), (3, 0));
        assert_eq!((status.gateway_landlock, status.ftpd_landlock), (None, None));
    }

    #[test]
    fn landlock_is_displayed_as_it_is_serialized() {
        for landlock in [Landlock::Missing, Landlock::Partial, Landlock::Full] {
            assert_eq!(serde_json::to_value(landlock).unwrap(), landlock.to_string());
        }
    }
}
