//! Whose certificate is believed: a CA's of the system, what a file holds, or the one that a person has accepted.

use std::{path::Path, sync::Arc};

use rustls::{
    CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_name,
    },
    crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature},
    server::ParsedCertificate,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _};

use crate::{
    certificate::{CertificateFacts, CertificateFingerprint},
    failure::{LocalError, Result},
    known_servers::KnownLine,
    session::Options,
    url::Server,
};

/// Whose certificate is believed, for one server.
#[derive(Debug)]
pub(super) struct CertificateVerifier {
    server: Server,
    anchors: Anchors,
    algorithms: WebPkiSupportedAlgorithms,
}

#[derive(Debug)]
enum Anchors {
    /// What the system trusts. Whatever else comes, a person may be asked about.
    System(Arc<WebPkiServerVerifier>),
    /// What the file of `--ca` holds: as CAs, and each of them as it is.
    File { exact: Vec<CertificateDer<'static>>, cas: Arc<WebPkiServerVerifier> },
    /// What a person has accepted for this server, and nothing else.
    Accepted(Vec<KnownLine<CertificateFingerprint>>),
}

/// Why a certificate is not believed, where rustls has no word for it. Travels inside of its errors.
#[derive(Debug, thiserror::Error)]
pub(super) enum Distrust {
    /// A person may know better than the CAs.
    #[error("nobody trusted here has signed the certificate")]
    Unknown(CertificateFacts),
    /// Another one was accepted.
    #[error("another certificate was accepted before")]
    Changed { shown: CertificateFingerprint, known: KnownLine<CertificateFingerprint> },
}

impl CertificateVerifier {
    /// Reads the certificates to trust, so that a wrong file is said before anything is sent.
    pub(super) fn new(server: &Server, options: &Options, provider: &Arc<CryptoProvider>) -> Result<Self> {
        let accepted = options.known_servers.tls(server)?.certificates;
        let anchors = match &options.ca {
            Some(file) => {
                let exact = from_file(file)?;
                let mut roots = RootCertStore::empty();
                // What is no CA for rustls may still be believed as it is.
                roots.add_parsable_certificates(exact.iter().cloned());
                if roots.is_empty() {
                    return Err(unfit(file, "holds no certificate that can be read").into());
                }
                Anchors::File { exact, cas: verifier(roots, provider)? }
            }
            None if !accepted.is_empty() => Anchors::Accepted(accepted),
            None => Anchors::System(verifier(from_system()?, provider)?),
        };
        let algorithms = provider.signature_verification_algorithms;
        Ok(Self { server: server.clone(), anchors, algorithms })
    }

    /// A certificate that somebody has chosen octet for octet needs no CA, but its names and its time hold.
    fn check_itself(&self, der: &CertificateDer<'_>, name: &ServerName<'_>, now: UnixTime) -> Result<(), Error> {
        let facts = CertificateFacts::read(der).ok_or(CertificateError::BadEncoding)?;
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        if facts.not_before.is_none_or(|time| time.as_second() > now) {
            return Err(CertificateError::NotValidYet.into());
        }
        if facts.not_after.is_none_or(|time| time.as_second() < now) {
            return Err(CertificateError::Expired.into());
        }
        if facts.has_common_name_of(&self.server) {
            return Ok(());
        }
        verify_server_name(&ParsedCertificate::try_from(der)?, name)
    }
}

impl ServerCertVerifier for CertificateVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match &self.anchors {
            Anchors::System(cas) => cas
                .verify_server_cert(end_entity, intermediates, name, ocsp, now)
                .map_err(|error| for_a_person(end_entity, error)),
            Anchors::File { exact, .. } if exact.contains(end_entity) => {
                self.check_itself(end_entity, name, now).map(|()| ServerCertVerified::assertion())
            }
            Anchors::File { cas, .. } => cas.verify_server_cert(end_entity, intermediates, name, ocsp, now),
            Anchors::Accepted(known) => {
                let shown = CertificateFingerprint::of(end_entity);
                if known.iter().any(|line| line.fingerprint == shown) {
                    return Ok(ServerCertVerified::assertion());
                }
                let changed = known.first().map(|first| Distrust::Changed { shown, known: first.clone() });
                Err(changed.map_or_else(|| CertificateError::UnknownIssuer.into(), distrust))
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// What a person may overrule: that no CA is known, and whatever is wrong with a certificate that nobody but itself has
/// signed. Not that a CA's certificate has expired or is another server's.
fn for_a_person(der: &CertificateDer<'_>, error: Error) -> Error {
    let Error::InvalidCertificate(reason) = &error else { return error };
    let Some(facts) = CertificateFacts::read(der) else { return error };
    let is_unknown = matches!(reason, CertificateError::UnknownIssuer | CertificateError::BadSignature);
    if is_unknown || facts.is_self_issued { distrust(Distrust::Unknown(facts)) } else { error }
}

fn distrust(distrust: Distrust) -> Error {
    CertificateError::Other(OtherError(Arc::new(distrust))).into()
}

fn verifier(roots: RootCertStore, provider: &Arc<CryptoProvider>) -> Result<Arc<WebPkiServerVerifier>> {
    let built = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider)).build();
    // Fails only for an empty store, which neither caller has, and for revocation lists, which nobody gives.
    Ok(built.map_err(|error| crate::failure::ConnectionError::Tls(Error::General(error.to_string())))?)
}

fn from_file(file: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let pem = std::fs::read(file).map_err(LocalError::file("read", file))?;
    let certificates: std::result::Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let certificates = certificates.map_err(|_| unfit(file, "is no PEM that can be read"))?;
    if certificates.is_empty() { Err(unfit(file, "holds no certificate").into()) } else { Ok(certificates) }
}

fn unfit(file: &Path, reason: &str) -> LocalError {
    let advice = "--ca wants one or more certificates in PEM.";
    LocalError::Unfit { path: file.to_owned(), reason: reason.into(), advice }
}

fn from_system() -> Result<RootCertStore> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let reason = found.errors.first().map_or_else(|| "none is there".into(), ToString::to_string);
        return Err(LocalError::Unfit {
            path: "the system's certificates".into(),
            reason,
            advice: "Install them (ca-certificates), or give the server's CA with --ca FILE.",
        }
        .into());
    }
    Ok(roots)
}
