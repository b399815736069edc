//! Failures of security checks (exit code 4). Nothing more is sent to the server.

use std::{net::IpAddr, path::PathBuf};

use rustls::CertificateError;

use crate::{
    certificate::{CertificateFacts, CertificateFingerprint},
    failure::LocalError,
    known_servers::KnownLine,
    text::ServerText,
    url::Server,
};

/// The security check that failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SecurityError {
    /// The certificate does not pass verification.
    #[error("the certificate of {server} is not trusted: {reason}")]
    Certificate { server: Server, reason: String, advice: &'static str },
    /// No trusted CA has signed the certificate. A person may accept it.
    #[error(
        "the certificate of {server} is not trusted: no trusted CA has signed it (it is for {}; SHA-256 {})",
        facts.shown_names(),
        facts.fingerprint
    )]
    UnknownCertificate { server: Server, facts: Box<CertificateFacts> },
    /// The person has accepted another certificate for this server.
    #[error(
        "THE CERTIFICATE OF {server} HAS CHANGED: now {fingerprint}, before {} (line {} of the known servers)",
        known.fingerprint,
        known.line
    )]
    ChangedCertificate {
        server: Server,
        /// Of the certificate that the server presented.
        fingerprint: CertificateFingerprint,
        known: KnownLine<CertificateFingerprint>,
    },
    /// The server used TLS in an earlier session. A man in the middle can make it look as if it no longer did.
    #[error("{server} used TLS before and refuses it now: {reply}")]
    Downgraded { server: Server, reply: ServerText },
    /// TLS was removed from the FEAT list that came in the clear.
    #[error("{server} lists TLS under protection, but its list in the clear had no TLS")]
    TlsHidden { server: Server },
    /// The server refuses the mechanism that would protect the session. A man in the middle can make it look so.
    #[error("{server} does not offer {mechanism}: {reply}")]
    NotOffered { server: Server, mechanism: &'static str, reply: ServerText },
    /// The server refuses PBSZ or PROT, or answers PBSZ with more than was requested.
    #[error("{server} does not protect data as requested: {reply}")]
    Level { server: Server, reply: ServerText },
    /// No key of this server is known, and the person has not accepted this one.
    #[error("the key of {server} is not known: {fingerprint}")]
    UnknownKey { server: Server, fingerprint: String },
    /// Another key of this server is known.
    #[error(
        "THE KEY OF {server} HAS CHANGED: now {fingerprint}, before {known} (line {line} of {})",
        file.display()
    )]
    ChangedKey {
        server: Server,
        /// Of the key that the server presented.
        fingerprint: String,
        /// Of the key that is known.
        known: String,
        /// The file of known servers.
        file: PathBuf,
        /// Counted from 1.
        line: usize,
    },
    /// The address that the server signed is not the one that was dialled.
    #[error("the redirection check failed: the server signed its address as {signed}, but {dialled} was dialled")]
    Redirected { signed: IpAddr, dialled: IpAddr },
    /// The server's proof, or a message of the exchange, is invalid.
    #[error("{server} did not prove its identity: {reason}")]
    Proof { server: Server, reason: String },
    /// Octets were changed in transit.
    #[error("data from the server was changed in transit: {0}")]
    Tampered(String),
    /// Octets came in the clear after the command that ends clear text.
    #[error("octets came in the clear after {0}: this may be a man in the middle")]
    Injected(&'static str),
    /// The file of known servers cannot be read or written.
    #[error(transparent)]
    KnownServers(#[from] LocalError),
}

impl SecurityError {
    pub(super) fn advice(&self) -> Option<String> {
        let text = match self {
            Self::Certificate { advice, .. } => advice,
            Self::UnknownCertificate { .. } => {
                "If the server has a CA or a certificate of its own, get it from the administrator and give it with \
                 --ca FILE; or compare the fingerprint at a terminal."
            }
            Self::ChangedCertificate { known, .. } => return Some(changed_certificate_advice(known.line)),
            Self::Downgraded { .. } => {
                "This may be a man in the middle. If the administrator confirms that TLS was turned off, delete the \
                 server's tls line from the file of known servers."
            }
            Self::TlsHidden { .. } => {
                "This may be a man in the middle who forces the weaker mechanism. Try --mechanism tls."
            }
            Self::NotOffered { mechanism: "TLS", .. } => {
                "Nothing was sent in the clear. Ask the server's administrator; for a server without TLS, use \
                 --mechanism x-safetp1."
            }
            Self::NotOffered { .. } => {
                "Nothing was sent in the clear. Ask the server's administrator, or try another --mechanism."
            }
            Self::Level { .. } => {
                "Nothing was transferred. Ask the server's administrator which --protection it accepts."
            }
            Self::UnknownKey { .. } => {
                "Compare it with the fingerprint from the administrator; then run again with --accept-new-key."
            }
            Self::ChangedKey { file, line, .. } => return Some(changed_key_advice(file, *line)),
            Self::Redirected { .. } => {
                "Either the connection is redirected, or the server does not know its external address: ask its \
                 administrator."
            }
            Self::Proof { .. } | Self::Tampered(_) | Self::Injected(_) => {
                "Try again; if it persists, something between you and the server changes the octets."
            }
            Self::KnownServers(_) => return None,
        };
        Some(text.into())
    }

    /// Turns the verdict of rustls into a reason and advice.
    pub(crate) fn certificate(server: &Server, error: &CertificateError) -> Self {
        let (reason, advice) = explain(error);
        Self::Certificate { server: server.clone(), reason, advice }
    }
}

fn changed_key_advice(file: &std::path::Path, line: usize) -> String {
    format!(
        "This may be a man in the middle. If the administrator confirms the new key, delete line {line} of {} and \
         connect again.",
        file.display()
    )
}

fn changed_certificate_advice(line: usize) -> String {
    format!(
        "This may be a man in the middle. If the administrator confirms the new certificate, delete line {line} of the \
         file of known servers and connect again; or give the certificate with --ca FILE."
    )
}

fn explain(error: &CertificateError) -> (String, &'static str) {
    const CLOCK: &str = "Check this machine's clock, and tell the server's administrator.";
    match error {
        // A bad signature is one by another CA of the same name.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => (
            "no trusted CA has signed it".into(),
            "If the server has a CA of its own, get its certificate from the administrator and give it with --ca FILE.",
        ),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            ("it is for another name".into(), "Use a name of the server that is in the certificate.")
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => ("it has expired".into(), CLOCK),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            ("it is not valid yet".into(), CLOCK)
        }
        CertificateError::Revoked => ("it was revoked".into(), "Tell the server's administrator."),
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            ("it is not for use by a server".into(), "Tell the server's administrator.")
        }
        CertificateError::BadEncoding | CertificateError::UnhandledCriticalExtension => (
            "it is damaged, or has a form that this client does not support".into(),
            "Tell the server's administrator.",
        ),
        // A CA's own certificate in place of a server's is one of these.
        _ => (
            "it does not pass the checks for a certificate that a CA has signed".into(),
            "If it is the server's own certificate, get it from the administrator and give it with --ca FILE.",
        ),
    }
}
