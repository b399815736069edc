//! The contents of a certificate, for the person who may accept it and for checks that no CA makes.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use jiff::Timestamp;
use rustls_pki_types::CertificateDer;
use sha2::{Digest as _, Sha256};
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

use crate::{text::ServerText, url::Server};

/// The SHA-256 of a certificate, written as `openssl x509 -fingerprint -sha256` and a SafeTPServer's status write it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct CertificateFingerprint([u8; 32]);

/// The text is not the fingerprint of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a certificate's fingerprint is 32 pairs of hexadecimal digits with colons between them")]
pub(crate) struct NotAFingerprint;

/// The contents of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CertificateFacts {
    pub(crate) fingerprint: CertificateFingerprint,
    /// Its alternative names or, where it has none, its common name.
    pub(crate) names: Vec<ServerText>,
    /// The first second of its validity; `None` if the time cannot be represented.
    pub(crate) not_before: Option<Timestamp>,
    /// The last second of its validity.
    pub(crate) not_after: Option<Timestamp>,
    /// Its issuer and its subject have the same name.
    pub(crate) is_self_issued: bool,
    /// It has no alternative name, only a common name, which RFC 9525 does not count.
    has_common_name_only: bool,
}

impl CertificateFacts {
    /// Reads a certificate; `None` if it is not one of X.509.
    pub(crate) fn read(der: &CertificateDer<'_>) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let alternative = certificate.subject_alternative_name().ok()?;
        let names: Vec<_> = alternative.iter().flat_map(|names| &names.value.general_names).filter_map(name).collect();
        let common = certificate.subject().iter_common_name().map(|name| ServerText::new(name.attr_value().data));
        let has_common_name_only = names.is_empty();
        let validity = certificate.validity();
        Some(Self {
            fingerprint: CertificateFingerprint::of(der),
            names: if has_common_name_only { common.collect() } else { names },
            not_before: Timestamp::from_second(validity.not_before.timestamp()).ok(),
            not_after: Timestamp::from_second(validity.not_after.timestamp()).ok(),
            is_self_issued: certificate.issuer().as_raw() == certificate.subject().as_raw(),
            has_common_name_only,
        })
    }

    /// Returns whether its common name is the name of this server and its only one. Only for a certificate that is
    /// trusted octet for octet.
    pub(crate) fn has_common_name_of(&self, server: &Server) -> bool {
        let host = server.host.to_string();
        self.has_common_name_only && self.names.iter().any(|name| name.octets().eq_ignore_ascii_case(host.as_bytes()))
    }

    /// Its names as people see them.
    pub(crate) fn shown_names(&self) -> String {
        if self.names.is_empty() {
            return "no name".into();
        }
        self.names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }
}

impl CertificateFingerprint {
    /// The fingerprint of a certificate.
    pub(crate) fn of(der: &CertificateDer<'_>) -> Self {
        Self(Sha256::digest(der).into())
    }
}

impl fmt::Display for CertificateFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, octet) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(":")?;
            }
            write!(f, "{octet:02X}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for CertificateFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for CertificateFingerprint {
    type Err = NotAFingerprint;

    fn from_str(text: &str) -> Result<Self, NotAFingerprint> {
        let octet = |pair: &str| {
            let is_pair = pair.len() == 2 && pair.bytes().all(|digit| digit.is_ascii_hexdigit());
            u8::from_str_radix(pair, 16).ok().filter(|_| is_pair)
        };
        let octets: Option<Vec<_>> = text.split(':').map(octet).collect();
        octets.and_then(|octets| octets.try_into().ok()).map(Self).ok_or(NotAFingerprint)
    }
}

fn name(name: &GeneralName<'_>) -> Option<ServerText> {
    match name {
        GeneralName::DNSName(name) => Some(ServerText::new(name.as_bytes())),
        GeneralName::IPAddress(octets) => address(octets).map(|address| ServerText::new(address.to_string())),
        _ => None,
    }
}

fn address(octets: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(octets).map(|octets| IpAddr::V4(Ipv4Addr::from(octets)));
    v4.or_else(|_| <[u8; 16]>::try_from(octets).map(|octets| IpAddr::V6(Ipv6Addr::from(octets)))).ok()
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, KeyPair};

    use super::*;

    fn facts(names: &[&str], common: &str) -> CertificateFacts {
        let mut params = CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap();
        params.distinguished_name.push(DnType::CommonName, common);
        let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        CertificateFacts::read(certificate.der()).unwrap()
    }

    #[test]
    fn a_common_name_counts_only_where_there_is_no_other() {
        let server: Server = "ftp.example.org".parse().unwrap();
        assert!(facts(&[], "FTP.example.org").has_common_name_of(&server));
        assert!(!facts(&["other.example.org"], "ftp.example.org").has_common_name_of(&server));
        assert_eq!(facts(&["ftp.example.org", "192.0.2.1"], "x").shown_names(), "ftp.example.org, 192.0.2.1");
    }

    #[test]
    fn names_of_a_certificate_are_escaped() {
        assert_eq!(facts(&[], "a\u{1b}[2Jb").shown_names(), "a\\u{1b}[2Jb");
    }

    #[test]
    fn a_fingerprint_is_read_back_from_its_text() {
        let fingerprint = facts(&[], "x").fingerprint;
        assert_eq!(fingerprint.to_string().parse(), Ok(fingerprint));
        assert_eq!(fingerprint.to_string().to_lowercase().parse(), Ok(fingerprint));
        for text in ["", "AB", "AB:CD", &fingerprint.to_string()[1..], &format!("{fingerprint}:00"), &"+A:".repeat(32)]
        {
            assert_eq!(text.parse::<CertificateFingerprint>(), Err(NotAFingerprint), "{text}");
        }
    }
}
