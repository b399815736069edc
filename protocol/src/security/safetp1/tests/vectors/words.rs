//! The page's description in words, computed by those words and not by the code under test.

use cbc::cipher::{Array, BlockModeEncrypt, KeyIvInit, consts::U8};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use crate::security::safetp1::keys::SideKeys;

/// `HMAC(shahmac-key of the sender, x)`
pub(super) fn hmac(keys: &SideKeys, x: &[u8]) -> [u8; 20] {
    Hmac::<Sha1>::new_from_slice(&keys.shahmac_key).unwrap().chain_update(x).finalize().into_bytes().into()
}

/// `IV = Left8(HMAC(shahmac-key of the sender, "data iv" | transfer-# | block-#))`
pub(super) fn iv(keys: &SideKeys, transfer: u32, number: u32) -> [u8; 8] {
    let input = [b"data iv".as_slice(), &transfer.to_be_bytes(), &number.to_be_bytes()].concat();
    *hmac(keys, &input).first_chunk().unwrap()
}

/// `SHAHMAC(x)`
pub(super) fn signed(keys: &SideKeys, x: &[u8]) -> Vec<u8> {
    [x, &hmac(keys, x)].concat()
}

/// `x | padding`
pub(super) fn padded(mut x: Vec<u8>) -> Vec<u8> {
    let pad = 8 - x.len() % 8;
    x.resize(x.len() + pad, u8::try_from(pad).unwrap());
    x
}

/// 3DES-CBC of what has its padding already.
pub(super) fn encrypted(key: &[u8; 24], iv: [u8; 8], mut padded: Vec<u8>) -> Vec<u8> {
    let (blocks, rest) = Array::<u8, U8>::slice_as_chunks_mut(&mut padded);
    assert!(rest.is_empty());
    cbc::Encryptor::<des::TdesEde3>::new(&Array(*key), &Array(iv)).encrypt_blocks(blocks);
    padded
}
