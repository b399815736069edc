//! `ElGamal` in RFC 3526's group 14, by which the client gets the master key.

use crypto_bigint::{U256, U2048, const_monty_params, modular::ConstMontyForm};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::{
    keys::MasterKey,
    wire_profile::{EXPONENT_OCTETS, GROUP_G, GROUP_OCTETS, GROUP_P},
};

const_monty_params!(Group14, U2048, GROUP_P, "The prime of RFC 3526's group 14.");

/// A number of the group's arithmetic, in Montgomery form.
type Form = ConstMontyForm<Group14, { U2048::LIMBS }>;

/// P as it is on the wire.
pub(super) fn group_prime() -> [u8; GROUP_OCTETS] {
    octets(Form::MODULUS.as_ref())
}

/// A number n with 1 < n < P - 1: what X or k may have made of G.
#[derive(Clone, Copy, Debug)]
pub(super) struct Element(U2048);

impl Element {
    /// None outside of the range.
    pub(super) fn new(magnitude: &[u8]) -> Option<Self> {
        let n = number(magnitude)?;
        let minus_one = Form::MODULUS.as_ref().wrapping_sub(&U2048::ONE);
        (n > U2048::ONE && n < minus_one).then_some(Self(n))
    }

    pub(super) fn octets(&self) -> [u8; GROUP_OCTETS] {
        octets(&self.0)
    }
}

/// The client's key of one exchange: X.
pub(super) struct SecretKey(Zeroizing<U256>);

impl SecretKey {
    pub(super) fn random(rng: &mut impl CryptoRng) -> Self {
        Self(random_exponent(rng))
    }

    /// `Y = G^X mod P`, big-endian.
    pub(super) fn public(&self) -> [u8; GROUP_OCTETS] {
        octets(&generator().pow(&*self.0).retrieve())
    }

    /// `M = C2 * (C1^X)^-1 mod P`. None if M does not have 40 octets.
    pub(super) fn decrypt(&self, ciphertext: &Ciphertext) -> Option<MasterKey> {
        let shared = Zeroizing::new(Form::new(&ciphertext.c1.0).pow(&*self.0));
        let inverse = Zeroizing::new(Option::<Form>::from(shared.invert())?);
        let master = Zeroizing::new(Form::new(&ciphertext.c2).mul(&inverse).retrieve());
        let octets = Zeroizing::new(octets(&master));
        let (zeros, master) = octets.split_last_chunk::<{ MasterKey::LENGTH }>()?;
        zeros.iter().all(|octet| *octet == 0).then(|| MasterKey::new(*master))
    }
}

/// C1 and C2 of message 3.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ciphertext {
    c1: Element,
    c2: U2048,
}

impl Ciphertext {
    /// None unless 1 < C1 < P - 1 and 0 < C2 < P.
    pub(super) fn new(c1: &[u8], c2: &[u8]) -> Option<Self> {
        let c1 = Element::new(c1)?;
        let c2 = number(c2).filter(|c2| *c2 > U2048::ZERO && c2 < Form::MODULUS.as_ref())?;
        Some(Self { c1, c2 })
    }

    /// C1 and C2, big-endian.
    pub(super) fn octets(&self) -> [[u8; GROUP_OCTETS]; 2] {
        [self.c1.octets(), octets(&self.c2)]
    }
}

/// `C1 = G^k mod P`, `C2 = M * Y^k mod P` with a fresh k.
pub(super) fn encrypt(master: &MasterKey, public: Element, rng: &mut impl CryptoRng) -> Ciphertext {
    let k = random_exponent(rng);
    let mut message = Zeroizing::new([0; GROUP_OCTETS]);
    for (to, from) in message.iter_mut().rev().zip(master.octets().iter().rev()) {
        *to = *from;
    }
    encrypt_number(&message, public, &k)
}

/// The same for any M below P, and a k that the caller has drawn.
pub(super) fn encrypt_number(message: &[u8; GROUP_OCTETS], public: Element, k: &U256) -> Ciphertext {
    let message = Zeroizing::new(Form::new(&U2048::from_be_slice(message)));
    let shared = Zeroizing::new(Form::new(&public.0).pow(k));
    Ciphertext { c1: Element(generator().pow(k).retrieve()), c2: message.mul(&shared).retrieve() }
}

fn generator() -> Form {
    Form::new(&U2048::from_u8(GROUP_G))
}

fn random_exponent(rng: &mut impl CryptoRng) -> Zeroizing<U256> {
    let mut octets = Zeroizing::new([0; EXPONENT_OCTETS]);
    rng.fill_bytes(&mut *octets);
    Zeroizing::new(U256::from_be_slice(&*octets))
}

/// None beyond [`GROUP_OCTETS`].
fn number(magnitude: &[u8]) -> Option<U2048> {
    let mut octets = [0; GROUP_OCTETS];
    let zeros = GROUP_OCTETS.checked_sub(magnitude.len())?;
    octets.get_mut(zeros..)?.copy_from_slice(magnitude);
    Some(U2048::from_be_slice(&octets))
}

fn octets(n: &U2048) -> [u8; GROUP_OCTETS] {
    let encoded = n.to_be_bytes();
    std::array::from_fn(|i| encoded.as_slice().get(i).copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use chacha20::{ChaCha20Rng, rand_core::SeedableRng};

    use super::*;

    fn plus(n: [u8; GROUP_OCTETS], difference: i8) -> [u8; GROUP_OCTETS] {
        let difference = U2048::from_u8(difference.unsigned_abs());
        octets(&U2048::from_be_slice(&n).wrapping_sub(&difference))
    }

    #[test]
    fn the_range_of_an_element_is_from_2_to_p_minus_2() {
        assert!(Element::new(&[]).is_none());
        assert!(Element::new(&[1]).is_none());
        assert!(Element::new(&[2]).is_some());
        assert!(Element::new(&plus(group_prime(), -2)).is_some());
        assert!(Element::new(&plus(group_prime(), -1)).is_none());
        assert!(Element::new(&group_prime()).is_none());
        assert!(Element::new(&[1; GROUP_OCTETS + 1]).is_none());
    }

    #[test]
    fn c2_is_neither_zero_nor_p() {
        assert!(Ciphertext::new(&[2], &[]).is_none());
        assert!(Ciphertext::new(&[2], &[1]).is_some());
        assert!(Ciphertext::new(&[2], &plus(group_prime(), -1)).is_some());
        assert!(Ciphertext::new(&[2], &group_prime()).is_none());
    }

    #[test]
    fn a_master_key_comes_back_with_its_leading_zeros() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let mut octets = [0x5a; MasterKey::LENGTH];
        octets[..3].fill(0);
        let secret = SecretKey::random(&mut rng);
        let ciphertext = encrypt(&MasterKey::new(octets), Element::new(&secret.public()).unwrap(), &mut rng);
        assert_eq!(secret.decrypt(&ciphertext).unwrap().octets(), &octets);
    }

    #[test]
    fn a_master_key_of_more_than_40_octets_is_none() {
        let mut rng = ChaCha20Rng::seed_from_u64(2);
        let secret = SecretKey::random(&mut rng);
        let ciphertext = Ciphertext::new(&[2], &[1; GROUP_OCTETS]).unwrap();
        assert!(secret.decrypt(&ciphertext).is_none());
    }
}
