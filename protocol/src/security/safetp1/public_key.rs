//! The key by which a client knows a server.

use std::fmt;

use crypto_bigint::{
    BoxedUint, Integer, Resize,
    modular::{BoxedMontyForm, BoxedMontyParams},
};
use dsa::{Components, Signature, VerifyingKey, signature::hazmat::PrehashVerifier};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::{
    Fingerprint,
    wire_profile::{DSA_Q_OCTETS, DSA_SIZES, GROUP_OCTETS, Reader, put_mpint},
};

/// Reason for which a DSA key is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not a DSA key, or not written as it has to be.
    #[error("this is not a DSA key with p of 1024 bits and q of 160, or p of 2048 bits and q of 256")]
    Malformed,
    /// A DSA key of another size.
    #[error(
        "a DSA key of {p} and {q} bits: only p of 1024 bits with q of 160, and p of 2048 bits with q of 256, are taken"
    )]
    Size {
        /// The bits of p.
        p: u32,
        /// The bits of q.
        q: u32,
    },
    /// Its numbers do not make a DSA key: g or y is outside of 2..p or not of order q, or x outside of 1..q.
    #[error("the numbers of this DSA key do not fit each other")]
    Invalid,
}

/// A DSA public key of one of the two sizes, with g and y of order q.
#[derive(Clone)]
pub struct PublicKey {
    key: VerifyingKey,
    /// Two keys are the same if they are so on the wire.
    wire: Box<[u8]>,
}

impl PublicKey {
    /// Reads `DSA-public-key`, which is the whole of `octets`.
    pub fn from_wire(octets: &[u8]) -> Result<Self, KeyError> {
        let [p, q, g, y] = read_numbers(octets).ok_or(KeyError::Malformed)?.map(BoxedUint::from_be_slice_vartime);
        let components = checked_components(p, q, g)?;
        Self::new(checked_key(components, y)?)
    }

    /// `DSA-public-key`, as message 1 has it.
    pub fn to_wire(&self) -> Vec<u8> {
        self.wire.to_vec()
    }

    /// The fingerprint, by which people compare keys.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::new(Sha256::digest(&self.wire).into())
    }

    /// Checks what [`PublicKey::from_wire`] checks.
    pub(super) fn new(key: VerifyingKey) -> Result<Self, KeyError> {
        let components = key.components();
        let (p, q, g) = (components.p().as_ref(), components.q().as_ref(), components.g().as_ref());
        check_size(p, q)?;
        check_order(p, q, g)?;
        check_order(p, q, key.y())?;
        let mut wire = Vec::new();
        for n in [p, q, g, key.y().as_ref()] {
            put_mpint(&mut wire, &n.to_be_bytes());
        }
        Ok(Self { key, wire: wire.into() })
    }

    /// Whether `(r, s)`, big-endian, is this key's signature of the SHA-1 of `body`.
    pub(super) fn verifies(&self, body: &[u8], r: &[u8], s: &[u8]) -> bool {
        let precision = self.key.components().q().bits_precision();
        let number = |magnitude: &[u8]| BoxedUint::from_be_slice(magnitude, precision).ok();
        let signature = number(r).zip(number(s)).and_then(|(r, s)| Signature::from_components(r, s));
        let hash = Sha1::digest(body);
        signature.is_some_and(|signature| self.key.verify_prehash(&hash, &signature).is_ok())
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.wire == other.wire
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PublicKey").field(&self.fingerprint()).finish()
    }
}

/// Whether a server may have a key of this size, and p and q are odd as primes are.
pub(super) fn check_size(p: &BoxedUint, q: &BoxedUint) -> Result<(), KeyError> {
    let size = (p.bit_width(), q.bit_width());
    if !DSA_SIZES.contains(&size) {
        return Err(KeyError::Size { p: size.0, q: size.1 });
    }
    if (p.is_odd() & q.is_odd()).into() { Ok(()) } else { Err(KeyError::Invalid) }
}

/// p, q, g and y, big-endian.
fn read_numbers(octets: &[u8]) -> Option<[&[u8]; 4]> {
    let mut reader = Reader::new(octets);
    let p = reader.mpint(GROUP_OCTETS).ok()?;
    let q = reader.mpint(DSA_Q_OCTETS).ok()?;
    let g = reader.mpint(GROUP_OCTETS).ok()?;
    let y = reader.mpint(GROUP_OCTETS).ok()?;
    reader.end().ok()?;
    Some([p, q, g, y])
}

fn checked_components(p: BoxedUint, q: BoxedUint, g: BoxedUint) -> Result<Components, KeyError> {
    check_size(&p, &q)?;
    check_range(&p, &g)?;
    let precision = p.bits_precision();
    Components::from_components(p, q, g.resize(precision)).map_err(|_| KeyError::Invalid)
}

fn checked_key(components: Components, y: BoxedUint) -> Result<VerifyingKey, KeyError> {
    check_range(components.p(), &y)?;
    let y = y.resize(components.p().bits_precision());
    VerifyingKey::from_components(components, y).map_err(|_| KeyError::Invalid)
}

/// 1 < n < p
fn check_range(p: &BoxedUint, n: &BoxedUint) -> Result<(), KeyError> {
    if *n > BoxedUint::one() && n < p { Ok(()) } else { Err(KeyError::Invalid) }
}

/// 1 < n < p and n^q mod p = 1
fn check_order(p: &BoxedUint, q: &BoxedUint, n: &BoxedUint) -> Result<(), KeyError> {
    check_range(p, n)?;
    let modulus = p.to_odd().into_option().ok_or(KeyError::Invalid)?;
    let params = BoxedMontyParams::new_vartime(modulus);
    let power = BoxedMontyForm::new(n.resize(p.bits_precision()), &params).pow(q).retrieve();
    if power == BoxedUint::one() { Ok(()) } else { Err(KeyError::Invalid) }
}
