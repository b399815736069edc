//! SHAHMAC and `CBC3DESEncrypt` with one side's keys: what control messages and data blocks have in common.

use cbc::cipher::{Array, BlockModeDecrypt, BlockModeEncrypt, InnerIvInit, KeyInit, consts::U8};
use des::TdesEde3;
use hmac::{Hmac, Mac};
use sha1::Sha1;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq, ConstantTimeLess};

use super::wire_profile::padding;

/// Octets of an HMAC.
pub(super) const HMAC_LENGTH: usize = 20;

/// Octets of a block of SHA-1.
const HASH_BLOCK: usize = 64;

/// Octets of a block of 3DES.
pub(super) const CIPHER_BLOCK: usize = 8;

/// The message is not what the peer sealed here and now: the one error for every fault, so that an attacker learns no
/// more than that. The session or the transfer ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a protected message did not verify")]
pub struct Unverified;

/// One 3DES key and one shahmac key, with their schedules made.
#[derive(Debug)]
pub(super) struct Protector {
    cipher: TdesEde3,
    hmac: Hmac<Sha1>,
}

impl Protector {
    pub(super) fn new(cipher_key: &[u8; 24], shahmac_key: &[u8; HMAC_LENGTH]) -> Self {
        Self { cipher: TdesEde3::new(cipher_key.into()), hmac: keyed_hmac(shahmac_key) }
    }

    /// `HMAC(shahmac-key, x)`, x given in parts.
    pub(super) fn hmac(&self, parts: &[&[u8]]) -> [u8; HMAC_LENGTH] {
        let mut hmac = self.hmac.clone();
        for part in parts {
            hmac.update(part);
        }
        hmac.finalize().into_bytes().into()
    }

    /// Makes `SHAHMAC(x)` of the x that stands in `out` from `start` on.
    pub(super) fn sign(&self, out: &mut Vec<u8>, start: usize) {
        let tag = self.hmac(&[out.get(start..).unwrap_or_default()]);
        out.extend_from_slice(&tag);
    }

    /// Makes `CBC3DESEncrypt(x)` of the x that stands in `out` from `start` on, and says its last cipher block: the IV
    /// of what follows in a chain.
    pub(super) fn encrypt(&self, out: &mut Vec<u8>, start: usize, iv: [u8; CIPHER_BLOCK]) -> [u8; CIPHER_BLOCK] {
        let pad = padding(out.len().saturating_sub(start));
        out.resize(out.len() + usize::from(pad), pad);
        // Out of range would be a panic, never a message in the clear.
        let (_, message) = out.split_at_mut(start);
        let (blocks, _) = Array::<u8, U8>::slice_as_chunks_mut(message);
        cbc::Encryptor::inner_iv_init(&self.cipher, &Array(iv)).encrypt_blocks(blocks);
        last_block(message).unwrap_or(iv)
    }

    /// x of `SHAHMAC(x)`, if its HMAC is right.
    pub(super) fn verify<'a>(&self, signed: &'a [u8]) -> Result<&'a [u8], Unverified> {
        let (x, right) = self.check(signed).ok_or(Unverified)?;
        if right.into() { Ok(x) } else { Err(Unverified) }
    }

    /// Decrypts `CBC3DESEncrypt(SHAHMAC(x))` in its place and gives x, if padding and HMAC are right.
    pub(super) fn decrypt_and_verify<'a>(
        &self,
        message: &'a mut [u8],
        iv: [u8; CIPHER_BLOCK],
    ) -> Result<&'a [u8], Unverified> {
        self.decrypt(message, iv)?;
        let message: &'a [u8] = message;
        let longest = message.len().checked_sub(1 + HMAC_LENGTH).ok_or(Unverified)?;
        let (pad, well_padded) = measure_padding(message);
        // The HMAC is computed whatever the padding is like, so that the time does not tell the two failures apart:
        // also where so much padding would leave no room for an HMAC.
        let signed = message.len().saturating_sub(pad.into()).max(HMAC_LENGTH);
        let (x, right) = message.get(..signed).and_then(|signed| self.check(signed)).ok_or(Unverified)?;
        self.even_out(x.len(), longest);
        let has_room = Choice::from(u8::from(signed + usize::from(pad) == message.len()));
        if (well_padded & has_room & right).into() { Ok(x) } else { Err(Unverified) }
    }

    /// Hashes as many blocks more as the shortest padding would have left to hash, so that the time does not tell how
    /// long the padding claims to be (the attack is Lucky Thirteen).
    fn even_out(&self, hashed: usize, longest: usize) {
        let missing = hash_blocks(longest).saturating_sub(hash_blocks(hashed));
        let mut hmac = self.hmac.clone();
        for _ in 0..missing {
            hmac.update(&[0; HASH_BLOCK]);
        }
        std::hint::black_box(hmac);
    }

    /// Decrypts in place, the padding left where it is; only whole blocks, at least one.
    pub(super) fn decrypt(&self, message: &mut [u8], iv: [u8; CIPHER_BLOCK]) -> Result<(), Unverified> {
        let (blocks, rest) = Array::<u8, U8>::slice_as_chunks_mut(message);
        if blocks.is_empty() || !rest.is_empty() {
            return Err(Unverified);
        }
        cbc::Decryptor::inner_iv_init(&self.cipher, &Array(iv)).decrypt_blocks(blocks);
        Ok(())
    }

    /// Splits `SHAHMAC(x)` and compares in constant time. None where it is shorter than an HMAC.
    fn check<'a>(&self, signed: &'a [u8]) -> Option<(&'a [u8], Choice)> {
        let (x, tag) = signed.split_last_chunk::<HMAC_LENGTH>()?;
        Some((x, self.hmac(&[x]).ct_eq(tag)))
    }
}

/// Number of blocks that SHA-1 hashes for so many octets, its own padding of nine octets or more included.
fn hash_blocks(octets: usize) -> usize {
    (octets + 8) / HASH_BLOCK + 1
}

/// The last cipher block of a message, with which the chain continues.
pub(super) fn last_block(message: &[u8]) -> Option<[u8; CIPHER_BLOCK]> {
    message.last_chunk().copied()
}

/// Length of the padding, and whether it is valid, in constant time. Invalid padding counts as 1, so that the work
/// continues.
pub(super) fn measure_padding(message: &[u8]) -> (u8, Choice) {
    let Some(block) = last_block(message) else { return (1, Choice::from(0)) };
    let [.., pad] = block;
    let mut good = !pad.ct_eq(&0) & pad.ct_lt(&9);
    for (octet, from_end) in block.iter().rev().zip(0u8..) {
        good &= !from_end.ct_lt(&pad) | octet.ct_eq(&pad);
    }
    (u8::conditional_select(&1, &pad, good), good)
}

fn keyed_hmac(key: &[u8; HMAC_LENGTH]) -> Hmac<Sha1> {
    // RFC 2104 fills a short key with zeros to the block of the hash.
    let mut block = zeroize::Zeroizing::new([0; HASH_BLOCK]);
    for (to, from) in block.iter_mut().zip(key) {
        *to = *from;
    }
    Hmac::new(&Array(*block))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn protector() -> Protector {
        Protector::new(&std::array::from_fn(|i| u8::try_from(i * 7 + 1).unwrap()), &[9; 20])
    }

    fn sealed(x: &[u8]) -> Vec<u8> {
        let mut out = x.to_vec();
        protector().sign(&mut out, 0);
        protector().encrypt(&mut out, 0, [1; 8]);
        out
    }

    #[test]
    fn the_hmac_is_that_of_rfc_2202() {
        let tag = Protector::new(&[0; 24], &[0x0b; 20]).hmac(&[b"Hi ", b"There"]);
        assert_eq!(hex::encode(tag), "b617318655057264e28bc0b6fb378c8ef146be00");
    }

    #[test]
    fn padding_is_measured_and_anything_else_is_none() {
        let measure = |octets: [u8; 8]| {
            let (pad, good) = measure_padding(&octets);
            bool::from(good).then_some(pad)
        };
        assert_eq!(measure([8; 8]), Some(8));
        assert_eq!(measure([0, 0, 0, 0, 0, 0, 0, 1]), Some(1));
        assert_eq!(measure([9, 9, 9, 9, 9, 3, 3, 3]), Some(3));
        assert_eq!(measure([9, 9, 9, 9, 9, 2, 3, 3]), None);
        assert_eq!(measure([0; 8]), None);
        assert_eq!(measure([9; 8]), None);
        assert_eq!(measure([255; 8]), None);
    }

    /// Encrypts whole blocks without padding of its own.
    fn encrypted(mut padded: Vec<u8>) -> Vec<u8> {
        let (blocks, rest) = Array::<u8, U8>::slice_as_chunks_mut(&mut padded);
        assert!(rest.is_empty());
        cbc::Encryptor::inner_iv_init(&protector().cipher, &Array([1; 8])).encrypt_blocks(blocks);
        padded
    }

    #[test]
    fn wrong_padding_after_a_right_hmac_is_unverified() {
        let mut out = b"x".to_vec();
        protector().sign(&mut out, 0);
        out.extend([1, 3, 3]);
        assert_eq!(protector().decrypt_and_verify(&mut encrypted(out), [1; 8]), Err(Unverified));
    }

    #[test]
    fn padding_that_leaves_no_room_for_an_hmac_is_unverified() {
        for length in [8, 16, 24] {
            let padded = encrypted(vec![8; length]);
            assert_eq!(protector().decrypt_and_verify(&mut padded.clone(), [1; 8]), Err(Unverified), "{length}");
        }
    }

    #[test]
    fn however_long_the_padding_as_many_blocks_are_hashed() {
        for message in (32..400).step_by(CIPHER_BLOCK) {
            let longest = message - 1 - HMAC_LENGTH;
            for pad in 1..=CIPHER_BLOCK {
                let missing = hash_blocks(longest) - hash_blocks(message - pad - HMAC_LENGTH);
                assert!(missing <= 1, "{message} {pad}");
            }
        }
        // 55 octets are the most that one block takes with the nine of its own padding.
        assert_eq!([0, 55, 56, 119, 120].map(hash_blocks), [1, 1, 2, 2, 3]);
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens(x in proptest::collection::vec(any::<u8>(), 0..100)) {
            let mut message = sealed(&x);
            prop_assert_eq!(message.len() % 8, 0);
            prop_assert_eq!(protector().decrypt_and_verify(&mut message, [1; 8]), Ok(x.as_slice()));
        }

        #[test]
        fn a_flipped_bit_is_unverified(
            x in proptest::collection::vec(any::<u8>(), 0..60), at in any::<prop::sample::Index>(),
        ) {
            let mut message = sealed(&x);
            let bit = at.index(message.len() * 8);
            message[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(protector().decrypt_and_verify(&mut message, [1; 8]), Err(Unverified));
        }

        #[test]
        fn arbitrary_octets_are_unverified(octets in proptest::collection::vec(any::<u8>(), 0..100)) {
            prop_assert_eq!(protector().verify(&octets), Err(Unverified));
            let mut message = octets;
            prop_assert_eq!(protector().decrypt_and_verify(&mut message, [1; 8]), Err(Unverified));
        }
    }
}
