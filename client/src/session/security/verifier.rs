//! The verifier of certificates: by the system's CAs, by the file of `--ca`, or by what the person has accepted.

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

/// The verifier of the certificate of one server.
#[derive(Debug)]
pub(super) struct CertificateVerifier {
    server: Server,
    anchors: Anchors,
    algorithms: WebPkiSupportedAlgorithms,
}

#[derive(Debug)]
enum Anchors {
    /// The system's CAs. The person may be asked to accept another certificate.
    System(Arc<WebPkiServerVerifier>),
    /// The certificates in the file of `--ca`: as CAs, and each of them octet for octet.
    File { exact: Vec<CertificateDer<'static>>, cas: Arc<WebPkiServerVerifier> },
    /// Only what the person has accepted for this server.
    Accepted(Vec<KnownLine<CertificateFingerprint>>),
}

/// The reasons to distrust a certificate that rustls has no error for. They are carried inside of its errors.
#[derive(Debug, thiserror::Error)]
pub(super) enum Distrust {
    /// No trusted CA has signed it; the person may accept it.
    #[error("no trusted CA has signed the certificate")]
    Unknown(CertificateFacts),
    /// The person has accepted another one.
    #[error("another certificate was accepted before")]
    Changed { shown: CertificateFingerprint, known: KnownLine<CertificateFingerprint> },
}

impl CertificateVerifier {
    /// Reads the certificates to trust, so that an unusable file is reported before anything is sent.
    pub(super) fn new(server: &Server, options: &Options, provider: &Arc<CryptoProvider>) -> Result<Self> {
        let accepted = options.known_servers.tls(server)?.certificates;
        let anchors = match &options.ca {
            Some(file) => {
                let exact = from_file(file)?;
                let mut roots = RootCertStore::empty();
                // A certificate that rustls rejects as a CA may still be trusted octet for octet.
                roots.add_parsable_certificates(exact.iter().cloned());
                if roots.is_empty() {
                    return Err(unfit(file, "contains no readable certificate").into());
                }
                Anchors::File { exact, cas: verifier(roots, provider)? }
            }
            None if !accepted.is_empty() => Anchors::Accepted(accepted),
            None => Anchors::System(verifier(from_system()?, provider)?),
        };
        let algorithms = provider.signature_verification_algorithms;
        Ok(Self { server: server.clone(), anchors, algorithms })
    }

    /// Checks a certificate that is trusted octet for octet: it needs no CA, but its names and its validity count.
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

/// Marks what the person may overrule: an unknown CA, and any error of a self-signed certificate. Not so the expiry or
/// the wrong name of a certificate that a trusted CA has signed.
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
    // Fails only for an empty store, which neither caller has, and for revocation lists, of which there are none.
    Ok(built.map_err(|error| crate::failure::ConnectionError::Tls(Error::General(error.to_string())))?)
}

fn from_file(file: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let pem = std::fs::read(file).map_err(LocalError::file("read", file))?;
    let certificates: std::result::Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let certificates = certificates.map_err(|_| unfit(file, "is not readable PEM"))?;
    if certificates.is_empty() { Err(unfit(file, "contains no certificate").into()) } else { Ok(certificates) }
}

fn unfit(file: &Path, reason: &str) -> LocalError {
    let advice = "--ca needs one or more certificates in PEM.";
    LocalError::Unfit { path: file.to_owned(), reason: reason.into(), advice }
}

fn from_system() -> Result<RootCertStore> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let reason = found.errors.first().map_or_else(|| "none found".into(), ToString::to_string);
        return Err(LocalError::Unfit {
            path: "the system's certificates".into(),
            reason,
            advice: "Install them (ca-certificates), or give the server's CA with --ca FILE.",
        }
        .into());
    }
    Ok(roots)
}
