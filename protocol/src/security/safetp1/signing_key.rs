//! The server's DSA key: generated, stored as PEM, used to sign.

use std::fmt;

use crypto_bigint::BoxedUint;
use dsa::Components;
use pkcs8::{
    DecodePrivateKey, EncodePrivateKey, LineEnding, PrivateKeyInfoRef, SecretDocument,
    der::{Decode, asn1::UintRef},
};
use rand_core::CryptoRng;
use sha1::{Digest, Sha1};
use zeroize::Zeroizing;

use super::public_key::{KeyError, PublicKey, check_size};

/// The sizes that a server's key may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeySize {
    /// p of 1024 bits, q of 160: for clients that know no other.
    Legacy1024,
    /// p of 2048 bits, q of 256.
    Standard2048,
}

impl KeySize {
    fn for_dsa(self) -> dsa::KeySize {
        match self {
            #[expect(deprecated, reason = "original clients may know no other size")]
            Self::Legacy1024 => dsa::KeySize::DSA_1024_160,
            Self::Standard2048 => dsa::KeySize::DSA_2048_256,
        }
    }
}

/// The server's DSA key. Its secret is wiped when it is dropped.
pub struct SigningKey {
    key: dsa::SigningKey,
    public: PublicKey,
}

impl SigningKey {
    /// Generates a key. This takes seconds of computing: the primes are searched for.
    pub fn generate(size: KeySize, rng: &mut impl CryptoRng) -> Self {
        loop {
            let Ok(components) = Components::try_generate_from_rng_with_key_size(rng, size.for_dsa());
            let Ok(key) = dsa::SigningKey::try_generate_from_rng_with_components(rng, components);
            // y is practically never 1 or not of order q; such a key is not handed out.
            if let Ok(key) = Self::new(key) {
                return key;
            }
        }
    }

    /// Reads a key from PKCS #8 in PEM, as [`SigningKey::to_pkcs8_pem`] and OpenSSL write it.
    pub fn from_pkcs8_pem(pem: &str) -> Result<Self, KeyError> {
        let (_, document) = SecretDocument::from_pem(pem).map_err(|_| KeyError::Malformed)?;
        // The size comes first, so that a key of another size is not reported as malformed.
        let info = PrivateKeyInfoRef::from_der(document.as_bytes()).map_err(|_| KeyError::Malformed)?;
        check_parameters(&info)?;
        let key = dsa::SigningKey::from_pkcs8_der(document.as_bytes()).map_err(|_| KeyError::Invalid)?;
        Self::new(key)
    }

    /// The key in PKCS #8 in PEM, unencrypted.
    pub fn to_pkcs8_pem(&self) -> Zeroizing<String> {
        self.key.to_pkcs8_pem(LineEnding::LF).unwrap_or_default()
    }

    /// The key by which clients know the server.
    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// Signs the SHA-1 of `body`. k is RFC 6979's: no bad randomness makes it repeat. None is practically impossible.
    pub(super) fn sign(&self, body: &[u8]) -> Option<dsa::Signature> {
        self.key.sign_prehashed_rfc6979::<Sha1>(&Sha1::digest(body)).ok()
    }

    fn new(key: dsa::SigningKey) -> Result<Self, KeyError> {
        let public = PublicKey::new(key.verifying_key().clone())?;
        Ok(Self { key, public })
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SigningKey").field(&self.public.fingerprint()).finish()
    }
}

/// RFC 3279 §2.3.2: `SEQUENCE { p, q, g }`.
fn check_parameters(info: &PrivateKeyInfoRef<'_>) -> Result<(), KeyError> {
    if info.algorithm.oid != dsa::OID {
        return Err(KeyError::Malformed);
    }
    let parameters = info.algorithm.parameters_any().map_err(|_| KeyError::Malformed)?;
    let [p, q] = parameters
        .sequence(|reader| {
            let [p, q, _g] = [UintRef::decode(reader)?, UintRef::decode(reader)?, UintRef::decode(reader)?];
            Ok::<_, pkcs8::der::Error>([p, q].map(|n| BoxedUint::from_be_slice_vartime(n.as_bytes())))
        })
        .map_err(|_| KeyError::Malformed)?;
    check_size(&p, &q)
}
