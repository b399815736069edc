//! Checks a certificate chain and its key before a server uses them, and reads the facts that the operator needs.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use jiff::Timestamp;
use rustls::{Error, InconsistentKeys, sign::CertifiedKey};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use sha2::{Digest as _, Sha256};
use x509_parser::{
    certificate::X509Certificate,
    extensions::{GeneralName, ParsedExtension},
    prelude::FromDer as _,
};

/// Facts about the first certificate of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFacts {
    /// DNS names and IP addresses, in the certificate's order.
    pub names: Vec<String>,
    pub not_before: Timestamp,
    pub not_after: Timestamp,
    /// SHA-256 of the DER form, as `openssl x509 -fingerprint -sha256` prints it.
    pub fingerprint: String,
    /// Identifier of the key that signed it (RFC 5280, section 4.2.1.1).
    pub issuer_key: Option<Vec<u8>>,
    /// Identifier of its own key (RFC 5280, section 4.2.1.2).
    pub subject_key: Option<Vec<u8>>,
}

/// Reason why a certificate and a key cannot be used, as a part of a sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateProblem {
    #[error("tls.crt contains no certificate in PEM format (-----BEGIN CERTIFICATE-----)")]
    NoCertificate,
    #[error("tls.key contains no private key in PEM format (-----BEGIN PRIVATE KEY-----)")]
    NoKey,
    #[error("the first certificate in tls.crt is damaged: {0}")]
    Damaged(&'static str),
    #[error("the private key in tls.key does not belong to the first certificate in tls.crt")]
    KeyMismatch,
    #[error("the private key in tls.key cannot be used: {0}")]
    UnusableKey(String),
}

/// Reads a chain and its key, and checks that a server could use them together.
pub fn inspect(chain: &[u8], key: &[u8]) -> Result<CertificateFacts, CertificateProblem> {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(chain)
        .collect::<Result<_, _>>()
        .map_err(|_| CertificateProblem::NoCertificate)?;
    let Some(leaf) = chain.first().cloned() else { return Err(CertificateProblem::NoCertificate) };
    let facts = read(&leaf)?;
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| CertificateProblem::NoKey)?;
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    match CertifiedKey::from_der(chain, key, &provider) {
        Ok(_) => Ok(facts),
        Err(Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => Err(CertificateProblem::KeyMismatch),
        Err(Error::General(why)) => Err(CertificateProblem::UnusableKey(why)),
        Err(_) => Err(CertificateProblem::UnusableKey("this kind of key is not supported".into())),
    }
}

fn read(der: &CertificateDer<'_>) -> Result<CertificateFacts, CertificateProblem> {
    // The parser's errors say more, but only in their Debug form.
    let damaged = |what| CertificateProblem::Damaged(what);
    let (_, certificate) =
        X509Certificate::from_der(der).map_err(|_| damaged("its DER is not an X.509 certificate"))?;
    let time = |seconds| Timestamp::from_second(seconds).map_err(|_| damaged("its validity is not a valid time"));
    let names = certificate
        .subject_alternative_name()
        .map_err(|_| damaged("its subject alternative names cannot be parsed"))?;
    let mut facts = CertificateFacts {
        names: names.iter().flat_map(|names| &names.value.general_names).filter_map(name).collect(),
        not_before: time(certificate.validity().not_before.timestamp())?,
        not_after: time(certificate.validity().not_after.timestamp())?,
        fingerprint: fingerprint(der),
        issuer_key: None,
        subject_key: None,
    };
    for extension in certificate.extensions() {
        match extension.parsed_extension() {
            ParsedExtension::AuthorityKeyIdentifier(id) => {
                facts.issuer_key = id.key_identifier.as_ref().map(|id| id.0.to_vec());
            }
            ParsedExtension::SubjectKeyIdentifier(id) => facts.subject_key = Some(id.0.to_vec()),
            _ => {}
        }
    }
    Ok(facts)
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(octets) => address(octets).map(|ip| ip.to_string()),
        _ => None,
    }
}

fn address(octets: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(octets).map(|octets| IpAddr::V4(Ipv4Addr::from(octets)));
    v4.or_else(|_| <[u8; 16]>::try_from(octets).map(|octets| IpAddr::V6(Ipv6Addr::from(octets)))).ok()
}

fn fingerprint(der: &[u8]) -> String {
    let hash = Sha256::digest(der);
    hash.iter().map(|octet| format!("{octet:02X}")).collect::<Vec<_>>().join(":")
}
