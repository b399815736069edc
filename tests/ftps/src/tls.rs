//! The client's side of TLS: the certificates that it trusts, what it offers, and the sessions that it can resume.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use rustls::{
    ALL_VERSIONS, ClientConfig, ClientConnection, RootCertStore, SupportedCipherSuite, SupportedProtocolVersion,
    client::Resumption,
    crypto::{CryptoProvider, aws_lc_rs},
};
use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject as _};

/// The certificates that a client believes.
#[derive(Clone, Debug)]
pub struct Trust {
    roots: Arc<RootCertStore>,
}

/// The settings of a client's handshakes. A copy shares the memory of sessions with its original.
#[derive(Clone, Debug)]
pub struct Tls {
    trust: Trust,
    name: ServerName<'static>,
    config: Arc<ClientConfig>,
}

impl Trust {
    /// In no certificate, for a server that has none yet.
    pub fn none() -> Self {
        Self { roots: RootCertStore::empty().into() }
    }

    /// In one certificate and those that it has signed.
    pub fn certificate(certificate: &CertificateDer<'_>) -> Result<Self> {
        let mut roots = RootCertStore::empty();
        roots.add(certificate.clone().into_owned())?;
        Ok(Self { roots: roots.into() })
    }

    /// In all certificates of a PEM file.
    pub fn pem(pem: &[u8]) -> Result<Self> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            roots.add(certificate.context("not a PEM certificate")?)?;
        }
        Ok(Self { roots: roots.into() })
    }

    fn config(&self, provider: CryptoProvider, versions: &[&'static SupportedProtocolVersion]) -> Result<ClientConfig> {
        let builder = ClientConfig::builder_with_provider(provider.into()).with_protocol_versions(versions)?;
        Ok(builder.with_root_certificates(Arc::clone(&self.roots)).with_no_client_auth())
    }
}

impl Tls {
    /// TLS 1.2 and 1.3 with a server whose certificate names `name`: a DNS name or an IP address.
    pub fn new(trust: Trust, name: &str) -> Result<Self> {
        let config = trust.config(aws_lc_rs::default_provider(), ALL_VERSIONS)?.into();
        Ok(Self { trust, name: ServerName::try_from(name.to_owned())?, config })
    }

    /// Offers one version only. Begins a new memory of sessions.
    pub fn only(&mut self, version: &'static SupportedProtocolVersion) -> Result<()> {
        self.config = self.trust.config(aws_lc_rs::default_provider(), &[version])?.into();
        Ok(())
    }

    /// Offers one version and one cipher suite only. Begins a new memory of sessions.
    pub fn only_suite(
        &mut self,
        version: &'static SupportedProtocolVersion,
        suite: SupportedCipherSuite,
    ) -> Result<()> {
        let provider = CryptoProvider { cipher_suites: vec![suite], ..aws_lc_rs::default_provider() };
        self.config = self.trust.config(provider, &[version])?.into();
        Ok(())
    }

    /// Offers these protocols by ALPN (RFC 7301).
    pub fn offer(&mut self, protocols: &[&str]) {
        let protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        self.change(|config| config.alpn_protocols = protocols);
    }

    /// Expects the certificate to name `name`.
    pub fn expect_name(&mut self, name: &str) -> Result<()> {
        self.name = ServerName::try_from(name.to_owned())?;
        Ok(())
    }

    /// Resumes no session from now on.
    pub fn resume_nothing(&mut self) {
        self.change(|config| config.resumption = Resumption::disabled());
    }

    /// The same settings with an empty memory of sessions.
    #[must_use]
    pub fn forgetful_copy(&self) -> Self {
        let mut copy = self.clone();
        copy.change(|config| config.resumption = Resumption::in_memory_sessions(8));
        copy
    }

    pub(crate) fn connection(&self) -> Result<ClientConnection, rustls::Error> {
        ClientConnection::new(Arc::clone(&self.config), self.name.clone())
    }

    fn change(&mut self, change: impl FnOnce(&mut ClientConfig)) {
        let mut config = ClientConfig::clone(&self.config);
        change(&mut config);
        self.config = config.into();
    }
}
