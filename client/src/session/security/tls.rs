//! TLS by AUTH (RFC 4217): its configuration, and what its errors mean.

use std::{fmt, io, sync::Arc};

use rustls::{
    CertificateError, ClientConfig, Error, SupportedProtocolVersion,
    client::Resumption,
    crypto::aws_lc_rs,
    version::{TLS12, TLS13},
};
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::verifier::{CertificateVerifier, Distrust};
use crate::{
    failure::{ConnectionError, Failure, Result, SecurityError},
    session::{Options, TlsVersion},
    url::Server,
};

/// Session tickets kept. In TLS 1.3 each is used once, and every connection brings new ones.
const TICKETS: usize = 64;

/// The protocol's registered name for ALPN (RFC 7301), so that no server of another protocol can be made to answer
/// (ALPACA).
const ALPN: &[u8] = b"ftp";

/// The source of the TLS connections of one session, whose data connections resume the control connection.
#[derive(Clone)]
pub(crate) struct Connector {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl Connector {
    /// Reads the certificates to trust, so that an unusable file is reported before anything is sent.
    pub(crate) fn new(server: &Server, options: &Options) -> Result<Self> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = CertificateVerifier::new(server, options, &provider)?;
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions(options.tls_version))
            .map_err(ConnectionError::Tls)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        config.alpn_protocols = vec![ALPN.to_vec()];
        config.resumption = Resumption::in_memory_sessions(TICKETS);
        let name = server.name().ok_or_else(|| Failure::Usage(format!("no certificate can be issued for {server}")))?;
        Ok(Self { connector: Arc::new(config).into(), name })
    }

    /// Performs one handshake.
    pub(crate) async fn connect(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        self.connector.connect(self.name.clone(), stream).await
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The failure that an error of a connection means; errors of TLS are inside of [`io::Error`].
pub(crate) fn failure(server: &Server, error: io::Error) -> Failure {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(error) => tls_failure(server, error),
        None if error.kind() == io::ErrorKind::UnexpectedEof => ConnectionError::Closed.into(),
        None => ConnectionError::Broken(error).into(),
    }
}

fn tls_failure(server: &Server, error: &Error) -> Failure {
    match error {
        Error::InvalidCertificate(CertificateError::Other(other)) => match other.0.downcast_ref() {
            Some(Distrust::Unknown(facts)) => {
                SecurityError::UnknownCertificate { server: server.clone(), facts: Box::new(facts.clone()) }.into()
            }
            Some(Distrust::Changed { shown, known }) => {
                SecurityError::ChangedCertificate { server: server.clone(), fingerprint: *shown, known: known.clone() }
                    .into()
            }
            None => SecurityError::certificate(server, &CertificateError::Other(other.clone())).into(),
        },
        Error::InvalidCertificate(error) => SecurityError::certificate(server, error).into(),
        Error::NoCertificatesPresented => SecurityError::certificate(server, &CertificateError::UnknownIssuer).into(),
        Error::DecryptError => SecurityError::Tampered("a TLS record does not verify".into()).into(),
        Error::AlertReceived(alert) => ConnectionError::Alert(*alert).into(),
        other => ConnectionError::Tls(other.clone()).into(),
    }
}

fn versions(wanted: Option<TlsVersion>) -> &'static [&'static SupportedProtocolVersion] {
    static ONLY_1_2: [&SupportedProtocolVersion; 1] = [&TLS12];
    static ONLY_1_3: [&SupportedProtocolVersion; 1] = [&TLS13];
    match wanted {
        Some(TlsVersion::V1_2) => &ONLY_1_2,
        Some(TlsVersion::V1_3) => &ONLY_1_3,
        None => rustls::ALL_VERSIONS,
    }
}
