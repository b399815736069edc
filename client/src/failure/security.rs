//! The server, or what came from it, is not what it should be. Nothing more is sent to it.

use std::{net::IpAddr, path::PathBuf};

use rustls::CertificateError;

use crate::{failure::LocalError, text::ServerText, url::Server};

/// A check failed that tells the right server and the right octets from all others.
#[derive(Debug, thiserror::Error)]
pub enum SecurityError {
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
        other => (other.to_string(), "Tell the server's administrator."),
    }
}
