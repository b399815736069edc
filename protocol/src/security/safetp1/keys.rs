//! `make-keys()`: from the master key to the eight keys of a session.

use rand_core::CryptoRng;
use sha1::{Digest, Sha1};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::wire_profile::{CLIENT_LABELS, Labels, SERVER_LABELS};

/// A side of the exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Client,
    Server,
}

/// The secret that message 3 brings to the client, from which all keys come.
#[derive(ZeroizeOnDrop)]
pub(super) struct MasterKey([u8; Self::LENGTH]);

impl MasterKey {
    pub(super) const LENGTH: usize = 40;

    pub(super) fn new(octets: [u8; Self::LENGTH]) -> Self {
        Self(octets)
    }

    pub(super) fn random(rng: &mut impl CryptoRng) -> Self {
        let mut octets = Zeroizing::new([0; Self::LENGTH]);
        rng.fill_bytes(&mut *octets);
        Self(*octets)
    }

    pub(super) fn octets(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }
}

/// The keys of both sides.
pub(super) struct SessionKeys {
    pub(super) client: SideKeys,
    pub(super) server: SideKeys,
}

/// The keys that protect what one side sends.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(super) struct SideKeys {
    pub(super) control_3des_key: [u8; 24],
    pub(super) control_3des_iv: [u8; 8],
    pub(super) data_3des_key: [u8; 24],
    pub(super) shahmac_key: [u8; 20],
}

/// Section 4 of the page.
pub(super) fn make_keys(master: &MasterKey) -> SessionKeys {
    SessionKeys { client: side_keys(master, &CLIENT_LABELS), server: side_keys(master, &SERVER_LABELS) }
}

fn side_keys(master: &MasterKey, labels: &Labels) -> SideKeys {
    SideKeys {
        control_3des_key: join(&sha(master, labels.control_key_left), &sha(master, labels.control_key_right)),
        control_3des_iv: left(&sha(master, labels.control_iv)),
        data_3des_key: join(&sha(master, labels.data_key_left), &sha(master, labels.data_key_right)),
        shahmac_key: *sha(master, labels.shahmac_key),
    }
}

/// `SHA(mk | label)`
fn sha(master: &MasterKey, label: &[u8]) -> Zeroizing<[u8; 20]> {
    Zeroizing::new(Sha1::new().chain_update(master.octets()).chain_update(label).finalize().into())
}

/// `LeftN(hash)`
pub(super) fn left<const N: usize>(hash: &[u8; 20]) -> [u8; N] {
    const { assert!(N <= 20, "a SHA-1 has 20 octets") };
    std::array::from_fn(|i| hash.get(i).copied().unwrap_or_default())
}

/// `left | Left4(right)`
fn join(left: &[u8; 20], right: &[u8; 20]) -> [u8; 24] {
    std::array::from_fn(|i| left.iter().chain(right).nth(i).copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_3des_key_is_a_whole_hash_and_the_first_four_octets_of_another() {
        let left = std::array::from_fn(|i| u8::try_from(i).unwrap());
        let right = std::array::from_fn(|i| u8::try_from(100 + i).unwrap());
        let key = join(&left, &right);
        assert_eq!(key[..20], left);
        assert_eq!(key[20..], [100, 101, 102, 103]);
    }

    #[test]
    fn no_two_of_the_eight_keys_begin_alike() {
        let keys = make_keys(&MasterKey::new([7; MasterKey::LENGTH]));
        let mut beginnings: Vec<[u8; 8]> = [&keys.client, &keys.server]
            .iter()
            .flat_map(|side| {
                [&side.control_3des_key[..8], &side.control_3des_iv, &side.data_3des_key[..8], &side.shahmac_key[..8]]
                    .map(|beginning| beginning.try_into().unwrap())
            })
            .collect();
        beginnings.sort_unstable();
        beginnings.dedup();
        assert_eq!(beginnings.len(), 8);
    }
}
