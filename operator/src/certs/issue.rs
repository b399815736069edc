//! Issues a server's own CA, and certificates from it.

use jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use time::OffsetDateTime;

use super::{AUTHORITY_LIFETIME, LEAF_LIFETIME, SKEW};

/// Failure to issue a certificate.
#[derive(Debug, thiserror::Error)]
#[error("failed to issue a certificate: {0}")]
pub struct IssueError(#[from] rcgen::Error);

/// A certificate and its private key, both in PEM format.
#[derive(Clone)]
pub struct Pair {
    pub certificate: String,
    pub key: String,
}

/// A CA: a [`Pair`] that may sign.
pub type Authority = Pair;

/// Issues a server's own CA.
pub fn issue_authority(server: &str, now: Timestamp) -> Result<Authority, IssueError> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name = name(&format!("SafeTP CA of {server}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    set_validity(&mut params, now, AUTHORITY_LIFETIME);
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    Ok(Pair { certificate: certificate.pem(), key: key.serialize_pem() })
}

/// Issues a server's certificate for `names`: IP addresses become address entries, all others DNS entries.
pub fn issue_leaf(authority: &Authority, names: &[String], now: Timestamp) -> Result<Pair, IssueError> {
    let mut params = CertificateParams::new(names.to_vec())?;
    // A fixed common name: clients check the names above, and a common name is limited to 64 characters.
    params.distinguished_name = name("SafeTP server");
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    set_validity(&mut params, now, LEAF_LIFETIME);
    let signer = Issuer::from_ca_cert_pem(&authority.certificate, KeyPair::from_pem(&authority.key)?)?;
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, &signer)?;
    Ok(Pair { certificate: certificate.pem(), key: key.serialize_pem() })
}

fn name(common: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common.chars().take(64).collect::<String>());
    name
}

fn set_validity(params: &mut CertificateParams, now: Timestamp, lifetime: SignedDuration) {
    params.not_before = date(now - SKEW);
    params.not_after = date(now + lifetime);
}

fn date(at: Timestamp) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(at.as_second()).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}
