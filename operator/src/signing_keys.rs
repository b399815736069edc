//! DSA keys, by which servers authenticate themselves under X-SafeTP1: generating one for each server, and checking
//! those that an administrator provides.

mod generator;
mod inspect;

pub use generator::KeyGenerator;
pub use inspect::{KeyProblem, inspect};

use getrandom::SysRng;
use rand_core::UnwrapErr;
use safetp_protocol::security::safetp1::{KeySize, SigningKey};
use zeroize::Zeroizing;

/// A newly generated key, which no Secret contains yet.
#[derive(Clone)]
pub struct NewKey {
    /// PKCS#8 in PEM format.
    pub pem: Zeroizing<String>,
    /// Fingerprint of the public key, as clients show it.
    pub fingerprint: String,
}

/// Generates a key of 2048 bits. This takes seconds of CPU time, so it must not run on an async thread.
pub fn generate() -> Result<NewKey, KeyProblem> {
    let pem = SigningKey::generate(KeySize::Standard2048, &mut UnwrapErr(SysRng)).to_pkcs8_pem();
    // Read back as it will be read from its Secret, because it can never be replaced.
    let fingerprint = inspect(Some(pem.as_bytes()))?;
    Ok(NewKey { pem, fingerprint })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_key_is_read_back_with_its_fingerprint() {
        let key = generate().unwrap();
        assert!(key.pem.starts_with("-----BEGIN PRIVATE KEY-----"));
        assert!(key.fingerprint.starts_with("SHA256:"));
        assert_eq!(inspect(Some(key.pem.as_bytes())).unwrap(), key.fingerprint);
    }
}
