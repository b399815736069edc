//! The certificate that a server presents: kept, issued or checked. Reads no clock: `now` is a parameter.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use safetp_config::paths::{CERTIFICATE_FILE, PRIVATE_KEY_FILE};

use super::address::Addressing;
use crate::{
    certs::{
        Authority, CertificateFacts, IssueError, LEAF_LIFETIME, Pair, inspect, is_current, issue_authority, issue_leaf,
        renewal,
    },
    conditions::{Reason, Verdict},
    server::{
        gather::{Gathered, Live},
        validate::{CertificateSource, ValidatedServer},
    },
};

/// The Secrets' key of a CA's certificate.
pub const AUTHORITY_FILE: &str = "ca.crt";
/// The Secret's key of a CA's private key.
pub const AUTHORITY_KEY_FILE: &str = "ca.key";

/// The certificate of a server.
#[derive(Clone)]
pub struct ServerCertificate {
    /// The Secret that the gateway mounts.
    pub secret: String,
    /// `tls.crt` as it is in that Secret, byte for byte: the gateway's digest covers it.
    pub pem: Vec<u8>,
    pub facts: Option<CertificateFacts>,
    /// The key pairs of CA and server, if the operator issued it.
    pub issued: Option<IssuedPairs>,
    /// Reason why it cannot be used.
    pub problem: Option<Verdict>,
}

/// The pairs that the operator issued.
#[derive(Clone)]
pub struct IssuedPairs {
    /// The CA.
    pub authority: Authority,
    /// The server's certificate.
    pub leaf: Pair,
}

impl ServerCertificate {
    /// When it must be renewed, if the operator issued it, else when it ends.
    pub fn due(&self) -> Option<Timestamp> {
        let facts = self.facts.as_ref()?;
        Some(if self.issued.is_some() { renewal(facts) } else { facts.not_after })
    }
}

/// Keeps or issues a self-signed certificate, or checks the one that the user owns.
pub fn decide_certificate(
    server: &ValidatedServer,
    gathered: &Gathered,
    addressing: &Addressing,
    now: Timestamp,
) -> Result<ServerCertificate, IssueError> {
    match &server.certificate {
        CertificateSource::SelfSigned => self_signed(server, &gathered.live, addressing, now),
        CertificateSource::Secret(name) => Ok(user_owned(server, name, gathered.certificate.as_ref(), now)),
    }
}

fn self_signed(
    server: &ValidatedServer,
    live: &Live,
    addressing: &Addressing,
    now: Timestamp,
) -> Result<ServerCertificate, IssueError> {
    let (authority, authority_facts) = match existing_authority(live, now) {
        Some(authority) => authority,
        None => new_authority(server, now)?,
    };
    let names = names(server, addressing);
    let existing = existing_leaf(live);
    let kept = existing.filter(|(_, leaf)| is_current(leaf, &authority_facts, &names, now));
    let (leaf, facts) = if let Some((leaf, facts)) = kept {
        (leaf, Some(facts))
    } else {
        let leaf = issue_leaf(&authority, &names, now)?;
        let facts = inspect(leaf.certificate.as_bytes(), leaf.key.as_bytes()).ok();
        (leaf, facts)
    };
    Ok(ServerCertificate {
        secret: server.names.tls(),
        pem: leaf.certificate.clone().into_bytes(),
        facts,
        issued: Some(IssuedPairs { authority, leaf }),
        problem: None,
    })
}

/// The names for the certificate, the address first. While no address is known they are fewer, and a certificate that
/// has more is kept.
fn names(server: &ValidatedServer, addressing: &Addressing) -> Vec<String> {
    let address = addressing.known.as_ref().map(|known| known.address.to_string());
    let service = format!("{}.{}.svc", server.names.service(), server.names.namespace());
    address.into_iter().chain([service]).collect()
}

fn new_authority(server: &ValidatedServer, now: Timestamp) -> Result<(Authority, CertificateFacts), IssueError> {
    let name = server.names.server.to_string();
    let authority = issue_authority(&name, now)?;
    let facts = inspect(authority.certificate.as_bytes(), authority.key.as_bytes());
    let facts = facts.map_err(|_| IssueError::from(rcgen::Error::CouldNotParseCertificate))?;
    Ok((authority, facts))
}

/// The CA is kept as long as it outlives what it would sign: clients have stored it.
fn existing_authority(live: &Live, now: Timestamp) -> Option<(Authority, CertificateFacts)> {
    let pair = pair(live.ca_key.as_ref()?, AUTHORITY_FILE, AUTHORITY_KEY_FILE)?;
    let facts = inspect(pair.certificate.as_bytes(), pair.key.as_bytes()).ok()?;
    (now + LEAF_LIFETIME < facts.not_after).then_some((pair, facts))
}

fn existing_leaf(live: &Live) -> Option<(Pair, CertificateFacts)> {
    let pair = pair(live.tls.as_ref()?, CERTIFICATE_FILE, PRIVATE_KEY_FILE)?;
    let facts = inspect(pair.certificate.as_bytes(), pair.key.as_bytes()).ok()?;
    Some((pair, facts))
}

fn pair(secret: &Secret, certificate: &str, key: &str) -> Option<Pair> {
    let data = secret.data.as_ref()?;
    let text = |name: &str| data.get(name).and_then(|value| String::from_utf8(value.0.clone()).ok());
    Some(Pair { certificate: text(certificate)?, key: text(key)? })
}

fn user_owned(server: &ValidatedServer, name: &str, secret: Option<&Secret>, now: Timestamp) -> ServerCertificate {
    let mut certificate =
        ServerCertificate { secret: name.to_owned(), pem: Vec::new(), facts: None, issued: None, problem: None };
    let Some(secret) = secret else {
        certificate.problem = Some(invalid(format!(
            "Secret {}/{name}, named by security.certificate.secretRef, does not exist; create it with the keys \
             tls.crt and tls.key",
            server.names.namespace()
        )));
        return certificate;
    };
    let empty = BTreeMap::new();
    let data = secret.data.as_ref().unwrap_or(&empty);
    let content = |key: &str| data.get(key).map(|value| value.0.clone()).unwrap_or_default();
    certificate.pem = content(CERTIFICATE_FILE);
    match inspect(&certificate.pem, &content(PRIVATE_KEY_FILE)) {
        Ok(facts) => {
            certificate.problem = validity(name, &facts, now);
            certificate.facts = Some(facts);
        }
        Err(problem) => {
            certificate.problem = Some(invalid(format!(
                "Secret {}/{name} cannot be used: {problem}; running pods keep the certificate that they have loaded",
                server.names.namespace()
            )));
        }
    }
    certificate
}

fn validity(name: &str, facts: &CertificateFacts, now: Timestamp) -> Option<Verdict> {
    if facts.not_after <= now {
        return Some(invalid(format!("the certificate in Secret {name} expired at {}; renew it", facts.not_after)));
    }
    if now < facts.not_before {
        return Some(invalid(format!("the certificate in Secret {name} is valid only from {}", facts.not_before)));
    }
    None
}

fn invalid(message: String) -> Verdict {
    Verdict::stalled(Reason::CertificateInvalid, message)
}

#[cfg(test)]
mod tests {
    use k8s_openapi::ByteString;
    use safetp_config::address::ExternalAddress;
    use serde_json::json;

    use super::*;
    use crate::server::{
        decide::address::{KnownAddress, find_address},
        validate::{tests::server, validate},
    };

    fn now() -> Timestamp {
        Timestamp::from_second(1_800_000_000).unwrap()
    }

    fn secret(pairs: &[(&str, &str)]) -> Secret {
        let data = pairs.iter().map(|(key, value)| ((*key).to_owned(), ByteString(value.as_bytes().to_vec())));
        Secret { data: Some(data.collect()), ..Secret::default() }
    }

    fn store(gathered: &mut Gathered, certificate: &ServerCertificate) {
        let issued = certificate.issued.as_ref().unwrap();
        gathered.live.ca_key = Some(secret(&[
            (AUTHORITY_FILE, &issued.authority.certificate),
            (AUTHORITY_KEY_FILE, &issued.authority.key),
        ]));
        gathered.live.tls =
            Some(secret(&[(CERTIFICATE_FILE, &issued.leaf.certificate), (PRIVATE_KEY_FILE, &issued.leaf.key)]));
    }

    fn at(server: &ValidatedServer, ip: &str) -> Addressing {
        let known = KnownAddress { address: ExternalAddress::parse(ip), reason: String::new() };
        Addressing { known: Some(known), ..find_address(server, None, None) }
    }

    #[test]
    fn an_issued_certificate_is_kept_until_the_address_changes_and_its_ca_longer() {
        let server = validate(&server(json!({}))).unwrap();
        let mut gathered = Gathered::default();
        let first = decide_certificate(&server, &gathered, &at(&server, "203.0.113.1"), now()).unwrap();
        assert_eq!(first.facts.clone().unwrap().names, ["203.0.113.1", "files.ftp.svc"]);
        store(&mut gathered, &first);
        let again = decide_certificate(&server, &gathered, &at(&server, "203.0.113.1"), now()).unwrap();
        assert_eq!(again.pem, first.pem);
        let unknown = find_address(&server, None, None);
        let lost = decide_certificate(&server, &gathered, &unknown, now()).unwrap();
        assert_eq!(lost.pem, first.pem);
        let moved = decide_certificate(&server, &gathered, &at(&server, "203.0.113.2"), now()).unwrap();
        assert_eq!(moved.facts.unwrap().names, ["203.0.113.2", "files.ftp.svc"]);
        assert_eq!(moved.issued.unwrap().authority.certificate, first.issued.unwrap().authority.certificate);
    }

    #[test]
    fn a_certificate_of_the_user_is_checked_and_its_secret_named() {
        let spec = json!({"security": {"certificate": {"secretRef": {"name": "mine"}}}});
        let server = validate(&server(spec)).unwrap();
        let addressing = find_address(&server, None, None);
        let mut gathered = Gathered::default();
        let missing = decide_certificate(&server, &gathered, &addressing, now()).unwrap();
        assert!(missing.problem.unwrap().message.contains("Secret ftp/mine"), "names the Secret");
        gathered.certificate = Some(secret(&[(CERTIFICATE_FILE, "x"), (PRIVATE_KEY_FILE, "y")]));
        let broken = decide_certificate(&server, &gathered, &addressing, now()).unwrap();
        assert_eq!(broken.problem.unwrap().reason, Reason::CertificateInvalid);
        let authority = issue_authority("x", now()).unwrap();
        let leaf = issue_leaf(&authority, &["a.example".to_owned()], now()).unwrap();
        gathered.certificate = Some(secret(&[(CERTIFICATE_FILE, &leaf.certificate), (PRIVATE_KEY_FILE, &leaf.key)]));
        let good = decide_certificate(&server, &gathered, &addressing, now()).unwrap();
        assert!(good.problem.is_none() && good.issued.is_none());
        let late = decide_certificate(&server, &gathered, &addressing, now() + LEAF_LIFETIME).unwrap();
        assert!(late.problem.unwrap().message.contains("expired at"), "an expired one is reported");
    }
}
