//! The server, or what came from it, is not what it should be. Nothing more is sent to it.

use std::{net::IpAddr, path::PathBuf};

use rustls::CertificateError;

use crate::{
    certificate::{CertificateFacts, CertificateFingerprint},
    failure::LocalError,
    known_servers::KnownLine,
    text::ServerText,
    url::Server,
};

/// A check failed that tells the right server and the right octets from all others.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SecurityError {
    /// The certificate does not convince.
    #[error("the certificate of {server} is not to be trusted: {reason}")]
    Certificate {
        /// Whom to reach.
        server: Server,
        /// What is wrong with it.
        reason: String,
        /// What to do next.
        advice: &'static str,
    },
    /// No CA that is trusted here stands for the certificate. A person may.
    #[error(
        "the certificate of {server} is not to be trusted: nobody trusted here has signed it (it is for {}; SHA-256 {})",
        facts.shown_names(),
        facts.fingerprint
    )]
    UnknownCertificate {
        /// Whom to reach.
        server: Server,
        /// What the certificate says of itself.
        facts: Box<CertificateFacts>,
    },
    /// A person has accepted another certificate for this server.
    #[error(
        "THE CERTIFICATE OF {server} HAS CHANGED: now {fingerprint}, accepted was {} (line {} of the known servers)",
        known.fingerprint,
        known.line
    )]
    ChangedCertificate {
        /// Whom to reach.
        server: Server,
        /// Of the certificate that it showed.
        fingerprint: CertificateFingerprint,
        /// What was accepted.
        known: KnownLine<CertificateFingerprint>,
    },
    /// The server did TLS in an earlier session. An attacker can make it look as if it no longer did.
    #[error("{server} has done TLS before and refuses it now: {reply}")]
    TalkedDown {
        /// Whom to reach.
        server: Server,
        /// What it said.
        reply: ServerText,
    },
    /// TLS was taken out of the list that came in the clear.
    #[error("{server} offers TLS, as it says under protection, and did not say so in the clear")]
    Hidden {
        /// Whom to reach.
        server: Server,
    },
    /// The server does not do what would protect the session. An attacker can make it look so.
    #[error("{server} does not offer {mechanism}: {reply}")]
    NotOffered {
        /// Whom to reach.
        server: Server,
        /// What was asked for.
        mechanism: &'static str,
        /// What it said.
        reply: ServerText,
    },
    /// The server does not protect data as asked.
    #[error("{server} does not protect data as asked: {reply}")]
    Level {
        /// Whom to reach.
        server: Server,
        /// What it said.
        reply: ServerText,
    },
    /// No key of this server is known, and nobody said that this is it.
    #[error("the key of {server} is not known: {fingerprint}")]
    UnknownKey {
        /// Whom to reach.
        server: Server,
        /// Of the key that it showed.
        fingerprint: String,
    },
    /// Another key is known.
    #[error(
        "THE KEY OF {server} HAS CHANGED: now {fingerprint}, known is {known} (line {line} of {})",
        file.display()
    )]
    ChangedKey {
        /// Whom to reach.
        server: Server,
        /// Of the key that it showed.
        fingerprint: String,
        /// Of the key that is known.
        known: String,
        /// The file of known servers.
        file: PathBuf,
        /// Its line, from 1.
        line: usize,
    },
    /// The address in the server's signature is another one.
    #[error("redirection check: the server signed for its address {signed}, but {dialled} was dialled")]
    Redirected {
        /// What the server believes that it is reached by.
        signed: IpAddr,
        /// What was dialled.
        dialled: IpAddr,
    },
    /// The server's proof, or a message of the exchange, is wrong.
    #[error("{server} did not prove who it is: {reason}")]
    Proof {
        /// Whom to reach.
        server: Server,
        /// What is wrong with it.
        reason: String,
    },
    /// Octets were changed on their way.
    #[error("what came from the server was changed on its way: {0}")]
    Tampered(String),
    /// Octets came in the clear where none may.
    #[error("octets came in the clear behind {0}: somebody may be in the line")]
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
            Self::TalkedDown { .. } => {
                "Somebody may be in the line. If the administrator confirms that TLS was taken away, delete the server's \
                 tls line from the file of known servers."
            }
            Self::Hidden { .. } => {
                "Somebody may be in the line, who wants the weaker mechanism to be used. Try --mechanism tls."
            }
            Self::NotOffered { mechanism: "TLS", .. } => {
                "Nothing was sent in the clear. Ask the server's administrator; for a server that cannot do TLS there is \
                 --mechanism x-safetp1."
            }
            Self::NotOffered { .. } => {
                "Nothing was sent in the clear. Ask the server's administrator, or try another --mechanism."
            }
            Self::Level { .. } => {
                "Nothing was transferred. Ask the server's administrator which --protection it takes."
            }
            Self::UnknownKey { .. } => {
                "Compare it with the fingerprint that the administrator gives; then run again with --accept-new-key."
            }
            Self::ChangedKey { file, line, .. } => return Some(changed_key_advice(file, *line)),
            Self::Redirected { .. } => {
                "Either somebody redirects you, or the server does not know its external address: ask its administrator."
            }
            Self::Proof { .. } | Self::Tampered(_) | Self::Injected(_) => {
                "Try again; if it stays so, somebody or something between you and the server changes the octets."
            }
            Self::KnownServers(_) => return None,
        };
        Some(text.into())
    }

    /// From rustls's verdict to what a person can do about it.
    pub(crate) fn certificate(server: &Server, error: &CertificateError) -> Self {
        let (reason, advice) = explain(error);
        Self::Certificate { server: server.clone(), reason, advice }
    }
}

fn changed_key_advice(file: &std::path::Path, line: usize) -> String {
    format!(
        "Somebody may be in the line. If the administrator confirms the new key, delete line {line} of {} and connect again.",
        file.display()
    )
}

fn changed_certificate_advice(line: usize) -> String {
    format!(
        "Somebody may be in the line. If the administrator confirms the new certificate, delete line {line} of the file \
         of known servers and connect again; or give the certificate with --ca FILE."
    )
}

fn explain(error: &CertificateError) -> (String, &'static str) {
    const CLOCK: &str = "Check this machine's clock, and tell the server's administrator.";
    match error {
        // A signature that does not fit is one of another CA of the same name.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => (
            "nobody trusted here has signed it".into(),
            "If the server has a CA of its own, get its certificate from the administrator and give it with --ca FILE.",
        ),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            ("it is for another name".into(), "Use a name of the server that stands in the certificate.")
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => ("it has expired".into(), CLOCK),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            ("it is not valid yet".into(), CLOCK)
        }
        CertificateError::Revoked => ("it was revoked".into(), "Tell the server's administrator."),
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            ("it is not made for a server".into(), "Tell the server's administrator.")
        }
        CertificateError::BadEncoding | CertificateError::UnhandledCriticalExtension => {
            ("it is damaged, or of a form that this client does not know".into(), "Tell the server's administrator.")
        }
        // A CA's own certificate in place of a server's is one of these.
        _ => (
            "it does not pass the checks for a certificate that a CA has signed".into(),
            "If it is the server's own, get this very certificate from the administrator and give it with --ca FILE.",
        ),
    }
}
