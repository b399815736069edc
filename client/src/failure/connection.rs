//! The server was not reached, or was lost.

use std::{io, net::SocketAddr, time::Duration};

use rustls::AlertDescription;
use safetp_protocol::{reply::ReplyError, words::words};

use crate::{text::ServerText, url::Server};

/// Everything between the socket and the first reply, and whatever ends a session before its time.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectionError {
    /// The name has no address.
    #[error("found no address for {server}: {source}")]
    Name {
        /// Whom to reach.
        server: Server,
        /// What the resolver said.
        source: io::Error,
    },
    /// None of its addresses answers.
    #[error("failed to connect to {address}: {source}")]
    Dial {
        /// The last one tried.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// The data port does not answer.
    #[error("failed to connect to the data port {address}: {source}")]
    DialData {
        /// The one that the server told.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// In active mode: the server never came.
    #[error("the server did not connect to port {port} of this machine within {} s", waited.as_secs())]
    NotDialled {
        /// Where this client listened.
        port: u16,
        /// For how long.
        waited: Duration,
    },
    /// No port of this machine could be opened for the server.
    #[error("failed to open a port for the server to connect to: {0}")]
    Listen(#[source] io::Error),
    /// The server closed the session.
    #[error("the server closed the connection")]
    Closed,
    /// The server closed the session, and said so.
    #[error("the server ends the session: {0}")]
    Ended(ServerText),
    /// The connection broke.
    #[error("the connection to the server broke: {0}")]
    Broken(#[source] io::Error),
    /// A plain client of the proxy that is gone already, or whose user this machine does not tell.
    #[error("failed to serve a plain client: {0}")]
    Local(#[source] io::Error),
    /// No reply in time.
    #[error("the server did not answer within {} s", .0.as_secs())]
    Silent(Duration),
    /// What came is no FTP.
    #[error("what came is no reply of an FTP server: {0}")]
    NoReply(#[from] ReplyError),
    /// The server greets with a refusal.
    #[error("the server does not take sessions now: {0}")]
    Greeting(ServerText),
    /// The server ended the TLS handshake.
    #[error("the server ended TLS with the alert \"{}\"", alert_text(*.0))]
    Alert(AlertDescription),
    /// TLS failed in another way.
    #[error("TLS failed: {}", tls_text(.0))]
    Tls(#[source] rustls::Error),
    /// The reply to PASV or EPSV tells no port.
    #[error("the server told no data port: {0}")]
    NoPort(ServerText),
}

impl ConnectionError {
    pub(super) fn advice(&self) -> Option<String> {
        let text = match self {
            Self::Name { .. } => "Check the name in the URL.",
            Self::Dial { .. } => "Check host and port; a firewall may stand in between.",
            Self::DialData { .. } => "A firewall may block the server's data ports: its administrator knows the range.",
            Self::NotDialled { .. } => "Most firewalls stop active mode: try without --active.",
            Self::Silent(_) => "A firewall may cut idle connections; --timeout SECONDS waits longer.",
            Self::Ended(_) | Self::Greeting(_) => "Try again later.",
            Self::NoReply(_) => "Check the port: this client wants FTP with AUTH, not implicit TLS on port 990.",
            Self::Alert(alert) => alert_advice(*alert),
            Self::Tls(rustls::Error::InvalidMessage(_)) => "The server may have answered in the clear: try again.",
            _ => return None,
        };
        Some(text.into())
    }
}

/// rustls shows many of its errors in their Debug form.
fn tls_text(error: &rustls::Error) -> String {
    use rustls::Error;
    match error {
        Error::InvalidMessage(_) => "what came is not TLS".into(),
        Error::InappropriateMessage { .. } | Error::InappropriateHandshakeMessage { .. } => {
            "a message came out of its turn".into()
        }
        Error::PeerIncompatible(why) => format!("the server cannot do what this client asks for: {}", words(why)),
        Error::PeerMisbehaved(why) => format!("the server does not keep to the protocol: {}", words(why)),
        Error::InvalidCertRevocationList(_) | Error::InvalidEncryptedClientHello(_) | Error::InconsistentKeys(_) => {
            "this client is not set up for it".into()
        }
        other => other.to_string(),
    }
}

fn alert_text(alert: AlertDescription) -> String {
    alert.as_str().map_or_else(|| format!("number {}", u8::from(alert)), |name| name.replace('_', " "))
}

fn alert_advice(alert: AlertDescription) -> &'static str {
    match alert {
        AlertDescription::ProtocolVersion => "The server's TLS is too old: this client speaks 1.2 and 1.3.",
        AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity => {
            "The server and this client have no cipher in common."
        }
        AlertDescription::CertificateRequired | AlertDescription::BadCertificate => {
            "The server wants a client's certificate, which this client does not have yet."
        }
        AlertDescription::UnrecognisedName => "The server knows no such name: check the host in the URL.",
        AlertDescription::InternalError => "The server failed: its log says why.",
        _ => "The server's log may say why.",
    }
}

#[cfg(test)]
mod tests {
    use rustls::{Error, InvalidMessage, PeerIncompatible, PeerMisbehaved};

    use super::*;

    #[test]
    fn no_error_of_tls_is_shown_in_its_debug_form() {
        let text = |error: Error| ConnectionError::Tls(error).to_string();
        for (error, expected) in [
            (InvalidMessage::InvalidContentType.into(), "what came is not TLS"),
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
