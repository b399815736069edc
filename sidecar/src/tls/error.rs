//! Errors of TLS in words, for conditions and logs.

use std::io;

use safetp_protocol::words::words;

/// Reason why a certificate and key cannot be used. The sentences end up in a condition of the SafeTPServer.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// Not PEM, or damaged.
    #[error("tls.crt is not a chain of PEM certificates: {0}")]
    Certificate(rustls_pki_types::pem::Error),
    /// PEM, but no certificate in it.
    #[error("tls.crt holds no certificate")]
    NoCertificate,
    /// Not PEM, damaged, or an unknown kind of key.
    #[error("tls.key is not a PEM private key")]
    Key(#[source] rustls_pki_types::pem::Error),
    /// Not X.509 after all.
    #[error("tls.crt is not an X.509 certificate")]
    NotX509,
    /// They do not belong together, or TLS has no use for this kind of key.
    #[error("tls.crt and tls.key cannot be used together: {}", text(.0))]
    Mismatch(rustls::Error),
}

/// An error of rustls in words: many of them have no text but their Debug form.
fn text(error: &rustls::Error) -> String {
    use rustls::Error;
    match error {
        Error::InvalidMessage(why) => format!("what came is not TLS: {}", words(why)),
        Error::InappropriateMessage { .. } | Error::InappropriateHandshakeMessage { .. } => {
            "a message came out of turn".into()
        }
        Error::PeerIncompatible(why) => format!("the client does not support what is required: {}", words(why)),
        Error::PeerMisbehaved(why) => format!("the client violates the protocol: {}", words(why)),
        Error::AlertReceived(alert) => format!("the client ended the handshake: {}", words(alert)),
        Error::InvalidCertificate(why) => format!("the client's certificate: {}", words(why)),
        Error::InconsistentKeys(why) => words(why),
        Error::InvalidCertRevocationList(why) => words(why),
        Error::InvalidEncryptedClientHello(why) => words(why),
        other => other.to_string(),
    }
}

/// [`text`] of an error of a connection, inside of which those of rustls travel.
pub(crate) fn connection_text(error: &io::Error) -> String {
    match error.get_ref().and_then(|inner| inner.downcast_ref()) {
        Some(error) => text(error),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use rustls::{
        AlertDescription, CertificateError, Error, InconsistentKeys, InvalidMessage, PeerIncompatible, PeerMisbehaved,
    };

    use super::*;

    #[test]
    fn every_kind_of_tls_error_has_a_sentence() {
        for (error, words) in [
            (InvalidMessage::InvalidContentType.into(), "what came is not TLS: invalid content type"),
            (PeerIncompatible::NoCipherSuitesInCommon.into(), "is required: no cipher suites in common"),
            (PeerMisbehaved::InvalidKeyShare.into(), "violates the protocol: invalid key share"),
            (Error::AlertReceived(AlertDescription::BadCertificate), "the client ended the handshake: bad certificate"),
            (CertificateError::UnknownIssuer.into(), "the client's certificate: unknown issuer"),
            (InconsistentKeys::KeyMismatch.into(), "key mismatch"),
        ] {
            let connection = io::Error::other(error);
            assert!(connection_text(&connection).ends_with(words), "{}", connection_text(&connection));
        }
    }
}
