//! Everything about X-SafeTP1 that the public notes leave open and this project has chosen: marked \[ours\] in
//! `docs/x-safetp1.md`.
//!
//! All of it is here, so that one capture of an original client can correct it in one place.

/// Ours: bits of X and of k. 256 of them give group 14 all the strength that it has.
pub const EXPONENT_OCTETS: usize = 32;

/// Ours: the octets of P, and so the most that any number of the exchange has.
pub const GROUP_OCTETS: usize = 256;

/// Ours: the only group is RFC 3526's group 14, P in hexadecimal.
pub const GROUP_P: &str = "\
    ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74\
    020bbea63b139b22514a08798e3404ddef9519b3cd3a431b302b0a6df25f1437\
    4fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7ed\
    ee386bfb5a899fa5ae9f24117c4b1fe649286651ece45b3dc2007cb8a163bf05\
    98da48361c55d39a69163fa8fd24cf5f83655d23dca3ad961c62f356208552bb\
    9ed529077096966d670c354e4abc9804f1746c08ca18217c32905e462e36ce3b\
    e39e772c180e86039b2783a2ec07a28fb5c55df06f4c52c9de2bcbf695581718\
    3995497cea956ae515d2261898fa051015728e5a8aacaa68ffffffffffffffff";

/// Ours: its generator.
pub const GROUP_G: u8 = 2;

/// Ours: the lengths of p and q in bits that a server's DSA key may have.
pub const DSA_SIZES: [(u32, u32); 2] = [(1024, 160), (2048, 256)];

/// Ours: the most octets that q, r and s have.
pub const DSA_Q_OCTETS: usize = 32;

/// Ours: what stands before the base64 of a fingerprint.
pub const FINGERPRINT_PREFIX: &str = "SHA256:";

/// Ours: labels of `make-keys()` are ASCII without a terminating NUL.
pub const CLIENT_LABELS: Labels = Labels {
    control_key_left: b"client control 3des left",
    control_key_right: b"client control 3des right",
    control_iv: b"client control 3des iv",
    data_key_left: b"client data 3des left",
    data_key_right: b"client data 3des right",
    shahmac_key: b"client shahmac",
};

/// Ours: as [`CLIENT_LABELS`].
pub const SERVER_LABELS: Labels = Labels {
    control_key_left: b"server control 3des left",
    control_key_right: b"server control 3des right",
    control_iv: b"server control 3des iv",
    data_key_left: b"server data 3des left",
    data_key_right: b"server data 3des right",
    shahmac_key: b"server shahmac",
};

/// Ours: the label under which a data block's IV comes from the shahmac key of its sender.
pub const DATA_IV_LABEL: &[u8] = b"data iv";

/// The labels of one side's keys.
#[derive(Clone, Copy, Debug)]
pub struct Labels {
    /// Of the first 20 octets of the control key.
    pub control_key_left: &'static [u8],
    /// Of its last 4.
    pub control_key_right: &'static [u8],
    /// Of the IV with which the control chain begins.
    pub control_iv: &'static [u8],
    /// Of the first 20 octets of the data key.
    pub data_key_left: &'static [u8],
    /// Of its last 4.
    pub data_key_right: &'static [u8],
    /// Of the key of SHAHMAC.
    pub shahmac_key: &'static [u8],
}

/// Ours: the octet before the number, at the end of what the HMAC covers. The constants are all that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Flags {
    /// A message of the control connection: encrypted.
    Control = 0x02,
    /// The same, in a reply to a line that came in the clear: a client that sent none knows that an attacker did, and
    /// does not take it for its own reply.
    ControlToClear = 0x0A,
    /// A block of a data connection under PROT S.
    DataSafe = 0x01,
    /// The end of the file under PROT S.
    EndSafe = 0x05,
    /// A block of a data connection under PROT P.
    DataPrivate = 0x03,
    /// The end of the file under PROT P.
    EndPrivate = 0x07,
}

impl Flags {
    pub(super) fn octet(self) -> u8 {
        self as u8
    }
}

/// Ours: flags and `sequence-#` (u32) after the line of a control message.
pub const CONTROL_TRAILER: usize = 1 + 4;

/// Ours: `transfer-#` (u32), flags and `block-#` (u32) after the payload of a data block.
pub const DATA_TRAILER: usize = 4 + 1 + 4;

/// Ours: the least and the most that PBSZ can be.
pub const PBSZ: std::ops::RangeInclusive<u32> = 64..=65536;

/// Ours: the most octets of a line on the wire, its CRLF not counted, in either direction. The one limit of lengths.
pub const MAX_WIRE_LINE: usize = 32768;

/// Most octets of one control message, which stands in such a line in base64 after `ENC ` or `632 `.
pub const MAX_CONTROL_MESSAGE: usize = (MAX_WIRE_LINE - "ENC ".len()) / 4 * 3;

/// Ours: the octets of data blocks that one direction of a session encrypts before it refuses further transfers: 2^27
/// cipher blocks, after which two of them are equal with a probability of 2^-11 (SP 800-67 Rev. 2 asks for less than
/// that).
pub const MOST_ENCRYPTED: u64 = 1 << 30;

/// The octets do not have the form that is defined here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the message does not have the form that X-SafeTP1 requires")]
pub struct Malformed;

/// Ours: appends `mpint(n)`, n given as octets with or without leading zeros.
pub(super) fn put_mpint(out: &mut Vec<u8>, n: &[u8]) {
    let zeros = n.iter().take_while(|octet| **octet == 0).count();
    let magnitude = n.get(zeros..).unwrap_or_default();
    let length = u32::try_from(magnitude.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(magnitude);
}

/// Takes a message apart from its front.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(message: &'a [u8]) -> Self {
        Self(message)
    }

    /// Ours: the magnitude of an `mpint` of at most `limit` octets, without leading zeros.
    pub(super) fn mpint(&mut self, limit: usize) -> Result<&'a [u8], Malformed> {
        let length = u32::from_be_bytes(self.array()?);
        let length = usize::try_from(length).map_err(|_| Malformed)?;
        if length > limit {
            return Err(Malformed);
        }
        let (magnitude, rest) = self.0.split_at_checked(length).ok_or(Malformed)?;
        self.0 = rest;
        if magnitude.first() == Some(&0) { Err(Malformed) } else { Ok(magnitude) }
    }

    /// The next N octets.
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (array, rest) = self.0.split_first_chunk().ok_or(Malformed)?;
        self.0 = rest;
        Ok(*array)
    }

    /// Number of octets that are left.
    pub(super) fn remaining(&self) -> usize {
        self.0.len()
    }

    /// Nothing follows.
    pub(super) fn end(self) -> Result<(), Malformed> {
        if self.0.is_empty() { Ok(()) } else { Err(Malformed) }
    }
}

/// Ours: how many octets of padding make `length` a multiple of 8: 1 to 8, each of them of this value.
pub(super) fn padding(length: usize) -> u8 {
    const AFTER: [u8; 8] = [8, 7, 6, 5, 4, 3, 2, 1];
    AFTER.get(length % 8).copied().unwrap_or(8)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn mpint(n: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        put_mpint(&mut out, n);
        out
    }

    #[test]
    fn a_number_is_its_length_and_its_magnitude_without_leading_zeros() {
        assert_eq!(mpint(&[0, 0, 1, 0]), [0, 0, 0, 2, 1, 0]);
        assert_eq!(mpint(&[0xff]), [0, 0, 0, 1, 0xff]);
        assert_eq!(mpint(&[0, 0]), [0, 0, 0, 0]);
    }

    #[test]
    fn a_leading_zero_a_length_beyond_the_limit_or_the_message_is_malformed() {
        assert_eq!(Reader::new(&[0, 0, 0, 1, 0]).mpint(4), Err(Malformed));
        assert_eq!(Reader::new(&[0, 0, 0, 3, 1, 2, 3]).mpint(2), Err(Malformed));
        assert_eq!(Reader::new(&[0, 0, 0, 3, 1, 2]).mpint(4), Err(Malformed));
        assert_eq!(Reader::new(&[0xff, 0xff, 0xff, 0xff, 1]).mpint(usize::MAX), Err(Malformed));
        assert_eq!(Reader::new(&[0, 0, 0]).mpint(4), Err(Malformed));
    }

    #[test]
    fn padding_fills_to_eight_and_is_never_nothing() {
        assert_eq!([0, 1, 7, 8, 16].map(padding), [8, 7, 1, 8, 8]);
    }

    proptest! {
        #[test]
        fn any_number_comes_back(n in proptest::collection::vec(any::<u8>(), 0..300)) {
            let wire = mpint(&n);
            let mut reader = Reader::new(&wire);
            let magnitude = reader.mpint(300).unwrap();
            prop_assert_eq!(mpint(magnitude), wire.clone());
            prop_assert!(reader.end().is_ok());
        }

        #[test]
        fn arbitrary_octets_never_panic(octets in proptest::collection::vec(any::<u8>(), 0..64)) {
            let mut reader = Reader::new(&octets);
            while reader.mpint(16).is_ok() && reader.remaining() > 0 {}
        }
    }
}
