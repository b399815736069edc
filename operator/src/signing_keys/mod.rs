//! DSA keys, by which servers prove themselves under X-SafeTP1: made once for a server, or somebody else's to be checked.

mod inspect;
mod maker;

pub use inspect::{KeyProblem, inspect};
pub use maker::KeyMaker;

use getrandom::SysRng;
use rand_core::UnwrapErr;
use safetp_protocol::security::safetp1::{KeySize, SigningKey};
use zeroize::Zeroizing;

/// A key that was just made, which is in no Secret yet.
#[derive(Clone)]
pub struct MadeKey {
    /// PKCS#8 in PEM.
    pub pem: Zeroizing<String>,
    /// The fingerprint of its public key, as clients show it.
    pub fingerprint: String,
}

/// Makes a key of 2048 bits. This takes seconds of CPU: not on an async thread.
pub fn generate() -> Result<MadeKey, KeyProblem> {
    let pem = SigningKey::generate(KeySize::Standard2048, &mut UnwrapErr(SysRng)).to_pkcs8_pem();
    // Read back as it will be read ever after, since it can never be replaced.
    let fingerprint = inspect(Some(pem.as_bytes()))?;
    Ok(MadeKey { pem, fingerprint })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_was_made_is_read_back_with_its_fingerprint() {
        let made = generate().unwrap();
        assert!(made.pem.starts_with("-----BEGIN PRIVATE KEY-----"));
        assert!(made.fingerprint.starts_with("SHA256:"));
        assert_eq!(inspect(Some(made.pem.as_bytes())).unwrap(), made.fingerprint);
    }
}
