//! Failures of the control connection and of opening data connections (exit code 3).

use std::{io, net::SocketAddr, time::Duration};

use rustls::AlertDescription;
use safetp_protocol::{reply::ReplyError, words::words};

use crate::{text::ServerText, url::Server};

/// The reason why the server is not reached, or why its session ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectionError {
    /// The name has no address.
    #[error("failed to resolve {server}: {source}")]
    Name { server: Server, source: io::Error },
    /// None of the addresses answers.
    #[error("failed to connect to {address}: {source}")]
    Dial {
        /// The last one tried.
        address: SocketAddr,
        source: io::Error,
    },
    /// The data port does not answer.
    #[error("failed to connect to the data port {address}: {source}")]
    DialData { address: SocketAddr, source: io::Error },
    /// In active mode: the server did not connect.
    #[error("the server did not connect to port {port} of this machine within {} s", waited.as_secs())]
    NotDialled { port: u16, waited: Duration },
    /// No port of this machine could be opened, for the server in active mode or for the clients of the proxy.
    #[error("failed to listen for connections: {0}")]
    Listen(#[source] io::Error),
    /// The server closed the session.
    #[error("the server closed the connection")]
    Closed,
    /// The server ended the session by a 421.
    #[error("the server ended the session: {0}")]
    Ended(ServerText),
    /// The connection broke.
    #[error("the connection to the server broke: {0}")]
    Broken(#[source] io::Error),
    /// A plain client of the proxy is gone already, or the kernel does not report its user.
    #[error("failed to serve a plain client: {0}")]
    Local(#[source] io::Error),
    /// No reply in time.
    #[error("the server did not answer within {} s", .0.as_secs())]
    Silent(Duration),
    /// The server does not speak FTP.
    #[error("the answer is not a reply of an FTP server: {0}")]
    NoReply(#[from] ReplyError),
    /// The greeting is a refusal.
    #[error("the server does not accept sessions now: {0}")]
    Greeting(ServerText),
    /// The server ended the TLS handshake.
    #[error("the server ended TLS with the alert \"{}\"", alert_text(*.0))]
    Alert(AlertDescription),
    /// TLS failed in another way.
    #[error("TLS failed: {}", tls_text(.0))]
    Tls(#[source] rustls::Error),
    /// The reply to PASV or EPSV contains no port.
    #[error("the reply contains no data port: {0}")]
    NoPort(ServerText),
}

impl ConnectionError {
    pub(super) fn advice(&self) -> Option<String> {
        let text = match self {
            Self::Name { .. } => "Check the name in the URL.",
            Self::Dial { .. } => "Check host and port; a firewall may block the connection.",
            Self::DialData { .. } => "A firewall may block the server's data ports: its administrator knows the range.",
            Self::NotDialled { .. } => "Most firewalls block active mode: try without --active.",
            Self::Silent(_) => "A firewall may cut idle connections; --timeout SECONDS waits longer.",
            Self::Ended(_) | Self::Greeting(_) => "Try again later.",
            Self::NoReply(_) => "Check the port: this client needs FTP with AUTH, not implicit TLS on port 990.",
            Self::Alert(alert) => alert_advice(*alert),
            Self::Tls(rustls::Error::InvalidMessage(_)) => "The server may have answered in the clear: try again.",
            Self::Listen(_) | Self::Closed | Self::Broken(_) | Self::Local(_) | Self::Tls(_) | Self::NoPort(_) => {
                return None;
            }
        };
        Some(text.into())
    }
}

/// A sentence for an error of TLS; rustls displays many of its own in their Debug form.
fn tls_text(error: &rustls::Error) -> String {
    use rustls::Error;
    match error {
        Error::InvalidMessage(_) => "the answer is not TLS".into(),
        Error::InappropriateMessage { .. } | Error::InappropriateHandshakeMessage { .. } => {
            "a message came out of order".into()
        }
        Error::PeerIncompatible(why) => {
            format!("the server does not support what this client requires: {}", words(why))
        }
        Error::PeerMisbehaved(why) => format!("the server violates the protocol: {}", words(why)),
        Error::InvalidCertRevocationList(_) | Error::InvalidEncryptedClientHello(_) | Error::InconsistentKeys(_) => {
            "this client is not configured for it".into()
        }
        other => other.to_string(),
    }
}

fn alert_text(alert: AlertDescription) -> String {
    alert.as_str().map_or_else(|| format!("number {}", u8::from(alert)), |name| name.replace('_', " "))
}

fn alert_advice(alert: AlertDescription) -> &'static str {
    match alert {
        AlertDescription::ProtocolVersion => "The server's TLS is too old: this client supports 1.2 and 1.3.",
        AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity => {
            "The server and this client have no cipher in common."
        }
        AlertDescription::CertificateRequired | AlertDescription::BadCertificate => {
            "The server requires a client certificate, which this client does not support."
        }
        AlertDescription::UnrecognisedName => "The server does not know this name: check the host in the URL.",
        AlertDescription::InternalError => "The server failed: its log says why.",
        _ => "The server's log may say why.",
    }
}

#[cfg(test)]
mod tests {
    use rustls::{Error, InvalidMessage, PeerIncompatible, PeerMisbehaved};

    use super::*;

    #[test]
    fn tls_errors_are_sentences_and_not_debug_forms() {
        let text = |error: Error| ConnectionError::Tls(error).to_string();
        for (error, expected) in [
            (InvalidMessage::InvalidContentType.into(), "the answer is not TLS"),
            (PeerIncompatible::NoCipherSuitesInCommon.into(), "no cipher suites in common"),
            (
                PeerIncompatible::ServerRejectedEncryptedClientHello(None).into(),
                "server rejected encrypted client hello",
            ),
            (PeerMisbehaved::SelectedUnofferedCipherSuite.into(), "selected unoffered cipher suite"),
        ] {
            assert!(text(error).ends_with(expected), "{expected}");
        }
    }
}
