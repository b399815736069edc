//! Every reason that a condition or an event of this operator can give, with what it means.

use std::fmt::{self, Display, Formatter};

/// Declares [`Reason`] so that the word in the API, the list of all and the meaning of each come from one place.
macro_rules! reasons {
    ($(#[doc = $meaning:literal] $reason:ident,)+) => {
        /// Reason of a condition: the word in the API, on which scripts may rely.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Reason {
            $(#[doc = $meaning] $reason,)+
        }

        impl Reason {
            /// Every reason, in the order of the documentation.
            pub const ALL: &[Self] = &[$(Self::$reason,)+];

            /// The word in the API.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$reason => stringify!($reason),)+
                }
            }

            /// The meaning, in one sentence.
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Self::$reason => $meaning.trim_ascii(),)+
                }
            }
        }
    };
}

reasons! {
    /// The server accepts clients, and every pod has loaded the current settings.
    Serving,
    /// The server is stopped as `spec.replicas: 0` asks; its address and its files are kept.
    Stopped,
    /// The server is to stop, and its pod has not ended yet.
    Stopping,
    /// The spec contradicts itself, or the cluster's CRD is older than the operator; the message says what to set.
    InvalidSpec,
    /// This version of the operator cannot parse the resource.
    Unreadable,
    /// An object or a login of this name exists already and belongs to another owner.
    NameConflict,
    /// An object of an earlier server of the same name is still being deleted.
    Replacing,
    /// The node ports that the spec asks for are taken, or lie outside the cluster's range.
    PortsUnavailable,
    /// Other Services took a port of each block of node ports that was tried.
    PortsExhausted,
    /// The API server rejects an object of the server; the message quotes it.
    Refused,
    /// The certificate's Secret is missing, or holds no certificate that can be used now.
    CertificateInvalid,
    /// The Secret of the DSA key is missing, or holds no key that X-SafeTP1 can use.
    SigningKeyInvalid,
    /// The DSA key of X-SafeTP1 is being generated.
    KeyPending,
    /// The `PersistentVolumeClaim` is not bound to a volume yet.
    ClaimPending,
    /// The pod does not exist yet, or is not ready.
    PodPending,
    /// The load balancer or the node has not published an address yet.
    AddressPending,
    /// The pods have not loaded the current settings, certificate, keys and logins yet.
    ConfigurationPending,
    /// Every server of the user accepts the login as it is written now.
    InForce,
    /// A server that the user names does not exist in its namespace.
    ServerMissing,
    /// The Secret with the password, or the key in it, does not exist.
    SecretMissing,
    /// The password is empty, or looks like an argon2id hash and cannot be parsed as one.
    PasswordInvalid,
    /// Data connections were accepted that neither a TLS ticket nor an address of their own ties to a session.
    Weak,
    /// The kernel of a node enforces only a part of the Landlock rules.
    LandlockPartial,
    /// The kernel of a node has no Landlock, or it is disabled.
    LandlockMissing,
    /// An upload ended without TLS `close_notify` and was rejected (426); reported as an event only.
    UploadNotClosed,
}

impl Display for Reason {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_fits_the_api_and_has_a_sentence() {
        for reason in Reason::ALL {
            let word = reason.as_str();
            assert!(word.len() <= 128 && word.starts_with(|c: char| c.is_ascii_uppercase()), "{word}");
            assert!(word.chars().all(|c| c.is_ascii_alphanumeric()), "{word}");
            let meaning = reason.meaning();
            assert!(meaning.starts_with(|c: char| c.is_ascii_uppercase()) && meaning.ends_with('.'), "{meaning}");
        }
    }
}
