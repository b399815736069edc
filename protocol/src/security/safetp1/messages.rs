//! The four messages of the exchange as octets. The meaning of their numbers is decided by the sides.

use super::{
    ServerIp,
    control::CHALLENGE,
    elgamal::{Ciphertext, group_prime},
    wire_profile::{DSA_Q_OCTETS, GROUP_G, GROUP_OCTETS, Malformed, Reader, put_mpint},
};

/// 16 random octets of one side.
pub(super) type Challenge = [u8; CHALLENGE];

/// `ElGamal-public-key | client-challenge`, as read.
#[derive(Debug)]
pub(super) struct Message2<'a> {
    pub(super) group_p: &'a [u8],
    pub(super) group_g: &'a [u8],
    pub(super) public: &'a [u8],
    pub(super) client_challenge: Challenge,
}

impl<'a> Message2<'a> {
    pub(super) fn read(message: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(message);
        let read = Self {
            group_p: reader.mpint(GROUP_OCTETS)?,
            group_g: reader.mpint(GROUP_OCTETS)?,
            public: reader.mpint(GROUP_OCTETS)?,
            client_challenge: reader.array()?,
        };
        reader.end()?;
        Ok(read)
    }

    /// Whether P and G are those of the only group.
    pub(super) fn has_our_group(&self) -> bool {
        self.group_p == group_prime() && self.group_g == [GROUP_G]
    }
}

/// Message 2 for a public value of the only group.
pub(super) fn write_message2(public: &[u8], client_challenge: Challenge) -> Vec<u8> {
    let mut message = Vec::new();
    put_mpint(&mut message, &group_prime());
    put_mpint(&mut message, &[GROUP_G]);
    put_mpint(&mut message, public);
    message.extend_from_slice(&client_challenge);
    message
}

/// `body | mpint(r) | mpint(s)`, as read.
#[derive(Debug)]
pub(super) struct Message3<'a> {
    /// The signed part.
    pub(super) body: &'a [u8],
    pub(super) c1: &'a [u8],
    pub(super) c2: &'a [u8],
    pub(super) client_challenge: Challenge,
    pub(super) server_challenge: Challenge,
    pub(super) server_ip: ServerIp,
    pub(super) r: &'a [u8],
    pub(super) s: &'a [u8],
}

impl<'a> Message3<'a> {
    pub(super) fn read(message: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(message);
        let c1 = reader.mpint(GROUP_OCTETS)?;
        let c2 = reader.mpint(GROUP_OCTETS)?;
        let client_challenge = reader.array()?;
        let server_challenge = reader.array()?;
        let server_ip = ServerIp::from(reader.array::<{ ServerIp::LENGTH }>()?);
        let (body, _) = message.split_at(message.len() - reader.remaining());
        let r = reader.mpint(DSA_Q_OCTETS)?;
        let s = reader.mpint(DSA_Q_OCTETS)?;
        reader.end()?;
        Ok(Self { body, c1, c2, client_challenge, server_challenge, server_ip, r, s })
    }
}

/// The body of message 3, which the server signs.
pub(super) fn write_body(
    ciphertext: &Ciphertext,
    client_challenge: Challenge,
    server_challenge: Challenge,
    server_ip: ServerIp,
) -> Vec<u8> {
    let mut body = Vec::new();
    for n in ciphertext.octets() {
        put_mpint(&mut body, &n);
    }
    body.extend_from_slice(&client_challenge);
    body.extend_from_slice(&server_challenge);
    body.extend_from_slice(&server_ip.octets());
    body
}

/// Makes message 3 of its body.
pub(super) fn append_signature(mut body: Vec<u8>, signature: &dsa::Signature) -> Vec<u8> {
    put_mpint(&mut body, &signature.r().to_be_bytes());
    put_mpint(&mut body, &signature.s().to_be_bytes());
    body
}
