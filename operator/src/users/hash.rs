//! Password hashes: argon2id, in PHC string format.

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher as _, phc},
};
use safetp_config::ftpd::PasswordHash;

/// Prefix of a Secret's value that is a hash already.
pub const HASH_PREFIX: &str = "$argon2id$";

// Memory in KiB, passes and lanes: the parameters that OWASP recommends for argon2id.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Failure to hash a password.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// Argon2 rejects the parameters or the password.
    #[error("failed to hash a password: {0}")]
    Hash(String),
    #[error("failed to hash a password: the thread that computes hashes panicked")]
    Thread,
}

/// Hashes `password` with a random salt. This takes tens of milliseconds of CPU time, so it must not run on an async
/// thread.
pub fn compute(password: &[u8]) -> Result<PasswordHash, HashError> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|error| HashError::Hash(error.to_string()))?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash = argon2.hash_password(password).map_err(|error| HashError::Hash(error.to_string()))?;
    Ok(PasswordHash(hash.to_string()))
}

/// Parses a hash in PHC string format; the error is a part of a sentence.
pub fn parse(value: &[u8]) -> Result<PasswordHash, String> {
    let text = std::str::from_utf8(value).map_err(|_| "it is not text".to_owned())?.trim_end();
    let hash = phc::PasswordHash::new(text).map_err(|error| error.to_string())?;
    if hash.hash.is_none() || hash.salt.is_none() {
        return Err("salt or hash is missing".to_owned());
    }
    Ok(PasswordHash(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use argon2::PasswordVerifier as _;

    use super::*;

    #[test]
    fn a_computed_hash_can_be_parsed_and_verifies_its_password_only() {
        let hash = compute(b"correct horse battery staple").unwrap();
        assert!(hash.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.0);
        assert_eq!(parse(hash.0.as_bytes()).unwrap(), hash);
        let parsed = phc::PasswordHash::new(&hash.0).unwrap();
        assert!(Argon2::default().verify_password(b"correct horse battery staple", &parsed).is_ok());
        assert!(Argon2::default().verify_password(b"wrong", &parsed).is_err());
    }

    #[test]
    fn two_hashes_of_one_password_differ() {
        assert_ne!(compute(b"x").unwrap(), compute(b"x").unwrap());
    }

    #[test]
    fn an_incomplete_hash_is_rejected() {
        assert!(parse(b"$argon2id$v=19$m=19456,t=2,p=1").is_err());
    }
}
