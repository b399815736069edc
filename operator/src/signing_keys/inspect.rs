use safetp_config::paths::DSA_KEY_FILE;
use safetp_protocol::security::safetp1::{KeyError, SigningKey};

/// How to make the form that is asked for out of any other.
const CONVERT: &str = "convert it with: openssl pkcs8 -topk8 -nocrypt -in OLD -out dsa.key";

/// Why a key cannot be used, as a part of a sentence.
#[derive(Debug, thiserror::Error)]
pub enum KeyProblem {
    /// The Secret has no such entry.
    #[error("it has no key {DSA_KEY_FILE}")]
    Missing,
    /// OpenSSL's older form.
    #[error("{DSA_KEY_FILE} is in OpenSSL's own form (BEGIN DSA PRIVATE KEY), but must be PKCS#8; {CONVERT}")]
    Traditional,
    /// Nobody is there to type the passphrase.
    #[error("{DSA_KEY_FILE} is encrypted, and nobody is there to type its passphrase; {CONVERT}")]
    Encrypted,
    /// No PEM.
    #[error("{DSA_KEY_FILE} holds no private key in PEM format (-----BEGIN PRIVATE KEY-----)")]
    NoKey,
    /// A key of another kind or size, or a damaged one.
    #[error("the private key in {DSA_KEY_FILE} cannot be used: {0}")]
    Unusable(KeyError),
}

/// The fingerprint of the public key, if this is a key that a server can use.
pub fn inspect(pem: Option<&[u8]>) -> Result<String, KeyProblem> {
    let pem = std::str::from_utf8(pem.ok_or(KeyProblem::Missing)?).map_err(|_| KeyProblem::NoKey)?;
    let begins = |label: &str| pem.contains(&format!("-----BEGIN {label}-----"));
    if begins("DSA PRIVATE KEY") {
        return Err(KeyProblem::Traditional);
    }
    if begins("ENCRYPTED PRIVATE KEY") {
        return Err(KeyProblem::Encrypted);
    }
    if !begins("PRIVATE KEY") {
        return Err(KeyProblem::NoKey);
    }
    let key = SigningKey::from_pkcs8_pem(pem).map_err(KeyProblem::Unusable)?;
    Ok(key.public_key().fingerprint().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(pem: &str) -> String {
        inspect(Some(pem.as_bytes())).unwrap_err().to_string()
    }

    #[test]
    fn keys_of_openssl_are_taken_in_both_sizes() {
        let both = [include_str!("../../testdata/dsa-2048-256.pem"), include_str!("../../testdata/dsa-1024-160.pem")];
        for pem in both {
            assert!(inspect(Some(pem.as_bytes())).unwrap().starts_with("SHA256:"));
        }
    }

    #[test]
    fn a_key_that_cannot_be_used_is_answered_with_what_to_do() {
        assert!(inspect(None).unwrap_err().to_string().contains("no key dsa.key"));
        assert!(problem("hello").contains("no private key in PEM format"));
        let traditional = problem(include_str!("../../testdata/dsa-1024-160-traditional.pem"));
        assert!(traditional.contains("must be PKCS#8; convert it with: openssl pkcs8 -topk8"), "{traditional}");
        assert!(problem("-----BEGIN ENCRYPTED PRIVATE KEY-----").contains("is encrypted"));
        let size = problem(include_str!("../../testdata/dsa-2048-224.pem"));
        assert!(size.contains("2048 and 224 bits"), "{size}");
        assert!(problem("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----").contains("cannot be used"));
    }
}
