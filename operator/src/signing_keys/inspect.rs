//! Checks that the content of a Secret is a DSA key that a server can use.

use safetp_config::paths::DSA_KEY_FILE;
use safetp_protocol::security::safetp1::{KeyError, SigningKey};

/// Advice for a key in another format.
const CONVERT: &str = "convert it with: openssl pkcs8 -topk8 -nocrypt -in OLD -out dsa.key";

/// Reason why a key cannot be used, as a part of a sentence about its Secret.
#[derive(Debug, thiserror::Error)]
pub enum KeyProblem {
    #[error("it has no key {DSA_KEY_FILE}")]
    Missing,
    #[error("{DSA_KEY_FILE} is in OpenSSL's traditional format (BEGIN DSA PRIVATE KEY), but must be PKCS#8; {CONVERT}")]
    Traditional,
    #[error("{DSA_KEY_FILE} is encrypted, and the server has no passphrase for it; {CONVERT}")]
    Encrypted,
    #[error("{DSA_KEY_FILE} contains no private key in PEM format (-----BEGIN PRIVATE KEY-----)")]
    NoKey,
    /// A key of another kind or size, or a damaged one.
    #[error("the private key in {DSA_KEY_FILE} cannot be used: {0}")]
    Unusable(KeyError),
}

/// Returns the fingerprint of the public key, if `pem` is a key that a server can use.
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
    fn openssl_keys_of_both_sizes_are_accepted() {
        let both = [include_str!("../../testdata/dsa-2048-256.pem"), include_str!("../../testdata/dsa-1024-160.pem")];
        for pem in both {
            assert!(inspect(Some(pem.as_bytes())).unwrap().starts_with("SHA256:"));
        }
    }

    #[test]
    fn an_unusable_key_is_reported_with_advice() {
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
