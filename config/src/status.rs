//! `GET /status` on the gateway's admin port: what is in force right now. The operator's Ready waits for it.

use serde::{Deserialize, Serialize};

use crate::Digest;

/// The answer, as JSON. New fields may be added: readers ignore what they do not know.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewayStatus {
    /// The address that the next PASV announces, absent while none is known.
    pub address: Option<String>,
    /// Digest of [`crate::paths::GATEWAY_FILE`], [`crate::paths::CERTIFICATE_FILE`] and, only where X-SafeTP1 is
    /// listed, [`crate::paths::DSA_KEY_FILE`], in this order, as loaded.
    pub gateway_digest: Option<Digest>,
    /// Digest of [`crate::paths::FTPD_FILE`] and [`crate::paths::USERS_FILE`], in this order, as the ftpd told it.
    pub ftpd_digest: Option<Digest>,
    /// Why the newest files are not in force, if they are not: the sentence for the condition.
    pub problem: Option<String>,
    /// Control connections at this moment.
    pub sessions: u32,
    /// Data connections since the start that were taken under WhenOffered with neither a TLS ticket of their session
    /// nor a peer address that tells clients apart.
    #[serde(default)]
    pub weak_bindings: u64,
}
