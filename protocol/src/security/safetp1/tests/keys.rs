//! DSA keys: which are read, which are refused.

use crypto_bigint::{BoxedUint, Resize};
use dsa::{Components, VerifyingKey, pkcs8::DecodePrivateKey};
use pkcs8::{EncodePrivateKey, LineEnding};
use proptest::prelude::*;

use super::{
    super::{KeyError, KeySize, PublicKey, SigningKey, wire_profile::put_mpint},
    KEY_1024, KEY_2048, key, rng,
};

const KEY_2048_224: &str = include_str!("../../../../testdata/x-safetp1/dsa-2048-224.pem");

/// p, q, g and y of a key.
fn numbers(pem: &str) -> [BoxedUint; 4] {
    let key = dsa::SigningKey::from_pkcs8_pem(pem).unwrap();
    let (key, components) = (key.verifying_key(), key.verifying_key().components());
    [components.p().as_ref(), components.q().as_ref(), components.g().as_ref(), key.y().as_ref()].map(Clone::clone)
}

fn wire(numbers: &[BoxedUint; 4]) -> Vec<u8> {
    let mut out = Vec::new();
    for number in numbers {
        put_mpint(&mut out, &number.to_be_bytes());
    }
    out
}

/// The key of 1024 bits with one of its numbers replaced.
fn altered(place: usize, number: BoxedUint) -> Result<PublicKey, KeyError> {
    let mut numbers = numbers(KEY_1024);
    numbers[place] = number;
    PublicKey::from_wire(&wire(&numbers))
}

#[test]
fn keys_that_openssl_has_made_are_read_and_come_back() {
    for pem in [KEY_1024, KEY_2048] {
        let key = key(pem);
        assert_eq!(*key.to_pkcs8_pem(), pem);
        let public = PublicKey::from_wire(&key.public_key().to_wire()).unwrap();
        assert_eq!(&public, key.public_key());
        assert_eq!(public.fingerprint(), key.public_key().fingerprint());
    }
    assert_ne!(key(KEY_1024).public_key(), key(KEY_2048).public_key());
}

#[test]
fn a_generated_key_signs_and_is_read_again() {
    let made = SigningKey::generate(KeySize::Legacy1024, &mut rng(1));
    let read = SigningKey::from_pkcs8_pem(&made.to_pkcs8_pem()).unwrap();
    let signature = made.sign(b"body").unwrap();
    let (r, s) = (signature.r().to_be_bytes(), signature.s().to_be_bytes());
    let verifies = |body: &[u8]| read.public_key().verifies(body, &r[4..], &s[4..]);
    assert_eq!(r.len(), 24, "160 bits in whole limbs");
    assert!(verifies(b"body"));
    assert!(!verifies(b"another"));
}

#[test]
fn a_key_of_another_size_is_refused_and_the_sizes_are_named() {
    let error = SigningKey::from_pkcs8_pem(KEY_2048_224).unwrap_err();
    assert_eq!(error, KeyError::Size { p: 2048, q: 224 });
    assert!(error.to_string().contains("1024 bits with q of 160"), "{error}");
    assert!(error.to_string().contains("2048 bits with q of 256"), "{error}");
    let size = PublicKey::from_wire(&wire(&numbers(KEY_2048_224))).unwrap_err();
    assert_eq!(size, KeyError::Size { p: 2048, q: 224 });
}

#[test]
fn a_public_key_whose_p_has_a_bit_less_is_refused() {
    let [p, ..] = numbers(KEY_1024);
    assert_eq!(altered(0, p.shr(1)), Err(KeyError::Size { p: 1023, q: 160 }));
}

#[test]
fn what_is_no_dsa_key_is_refused() {
    let other = KEY_2048.replace("MII", "MIJ");
    for pem in ["", "no PEM", &other, "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n"] {
        assert_eq!(SigningKey::from_pkcs8_pem(pem).unwrap_err(), KeyError::Malformed, "{pem}");
    }
}

#[test]
fn an_even_p_or_q_is_refused() {
    let [p, q, ..] = numbers(KEY_1024);
    assert_eq!(altered(0, p - BoxedUint::one()), Err(KeyError::Invalid));
    assert_eq!(altered(1, q - BoxedUint::one()), Err(KeyError::Invalid));
}

#[test]
fn g_and_y_are_refused_outside_of_2_to_p_and_where_their_order_is_not_q() {
    let [p, ..] = numbers(KEY_1024);
    let below_p = p.clone() - BoxedUint::one();
    for place in [2, 3] {
        for number in [BoxedUint::zero(), BoxedUint::one(), BoxedUint::from(2u8), below_p.clone(), p.clone()] {
            assert_eq!(altered(place, number.clone()), Err(KeyError::Invalid), "{number}");
        }
        let beyond = altered(place, p.clone().resize(2048).shl(900));
        assert_eq!(beyond, Err(KeyError::Invalid));
    }
}

#[test]
fn a_truncated_or_extended_public_key_is_refused() {
    let wire = key(KEY_1024).public_key().to_wire();
    for end in 0..wire.len() {
        assert_eq!(PublicKey::from_wire(&wire[..end]), Err(KeyError::Malformed));
    }
    let extended = [wire.as_slice(), &[0]].concat();
    assert_eq!(PublicKey::from_wire(&extended), Err(KeyError::Malformed));
}

#[test]
fn a_key_in_pem_whose_g_is_not_of_order_q_is_refused() {
    let [p, q, _, y] = numbers(KEY_1024);
    let g = p.clone() - BoxedUint::one();
    let components = Components::from_components(p, q, g).unwrap();
    let verifying = VerifyingKey::from_components(components, y).unwrap();
    let pem = dsa::SigningKey::from_components(verifying, BoxedUint::one()).unwrap().to_pkcs8_pem(LineEnding::LF);
    assert_eq!(SigningKey::from_pkcs8_pem(&pem.unwrap()).unwrap_err(), KeyError::Invalid);
}

#[test]
fn debugging_shows_the_fingerprint_only() {
    let key = key(KEY_2048);
    let fingerprint = key.public_key().fingerprint();
    assert_eq!(format!("{key:?}"), format!("SigningKey({fingerprint})"));
    assert_eq!(format!("{:?}", key.public_key()), format!("PublicKey({fingerprint})"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn arbitrary_octets_are_no_public_key(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(PublicKey::from_wire(&octets).is_err());
    }

    #[test]
    fn arbitrary_signatures_do_not_verify(
        r in proptest::collection::vec(any::<u8>(), 0..33),
        s in proptest::collection::vec(any::<u8>(), 0..33),
    ) {
        for pem in [KEY_1024, KEY_2048] {
            prop_assert!(!key(pem).public_key().verifies(b"body", &r, &s));
        }
    }
}
