//! The control connection after 235: every line a message, every direction one chain.

use std::fmt;

use subtle::{Choice, ConstantTimeEq};

use super::{
    counter::{Counter, Exhausted},
    keys::{Side, SideKeys},
    protector::{CIPHER_BLOCK, Protector, Unverified, last_block, measure_padding},
    wire_profile::{CONTROL_TRAILER, Flags, MAX_CONTROL_MESSAGE},
};

/// Octets of a challenge, the client's and the server's.
pub(super) const CHALLENGE: usize = 16;

/// Octets of message 4: a challenge and its padding.
pub(super) const PROOF: usize = CHALLENGE + CIPHER_BLOCK;

/// One side's end of a protected control connection.
#[derive(Debug)]
pub struct Control {
    side: Side,
    sealing: Chain,
    opening: Chain,
}

/// One line that the peer has sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The line without its CRLF; no CR and no LF is in it.
    pub line: Vec<u8>,
    /// Its `sequence-#`: of a command that opens a transfer, this is the transfer's number.
    pub number: u32,
    /// Whether it answers a line that came in the clear. One who has sent none must not take it for an answer.
    pub answers_clear: bool,
}

impl Control {
    pub(super) fn new(side: Side, sealing: &SideKeys, opening: &SideKeys) -> Self {
        Self { side, sealing: Chain::new(sealing), opening: Chain::new(opening) }
    }

    /// Protects one line, a command or one line of a reply, CRLF included. The message is what goes into base64.
    ///
    /// # Errors
    /// This direction has used all of its numbers: the session has to end.
    pub fn seal(&mut self, line: &[u8]) -> Result<Vec<u8>, Exhausted> {
        self.sealing.seal(line, Flags::Control)
    }

    /// The same for a line of a reply to what came in the clear.
    ///
    /// # Errors
    /// As [`Control::seal`].
    pub fn seal_answer_to_clear(&mut self, line: &[u8]) -> Result<Vec<u8>, Exhausted> {
        self.sealing.seal(line, Flags::ControlToClear)
    }

    /// Opens one message, which has been in base64. Any length may come; one of more than
    /// [`MAX_CONTROL_MESSAGE`] octets is not looked at.
    ///
    /// # Errors
    /// It is not the peer's next message. Nothing opens any more after that: the session has to end.
    pub fn open(&mut self, message: &[u8]) -> Result<Opened, Unverified> {
        let opened = self.opening.open(message, self.side);
        if opened.is_err() {
            self.opening.counter.stop();
        }
        opened
    }

    /// The `sequence-#` of the line that is sealed next: a client's transfer number, if it opens a transfer.
    /// Without meaning once [`Control::seal`] has said [`Exhausted`].
    pub fn next_sealed(&self) -> u32 {
        self.sealing.counter.peek().unwrap_or(u32::MAX)
    }

    /// Message 4, which comes before anything else in this direction.
    pub(super) fn seal_proof(&mut self, challenge: [u8; CHALLENGE]) -> Vec<u8> {
        let mut message = Vec::with_capacity(PROOF);
        message.extend_from_slice(&challenge);
        self.sealing.encrypt(&mut message);
        message
    }

    /// Whether message 4 is this challenge. It has no HMAC: the comparison is all that proves it, and it is made
    /// whatever the padding is like.
    pub(super) fn opens_proof(&mut self, message: [u8; PROOF], challenge: &[u8; CHALLENGE]) -> bool {
        self.opening.opens_proof(message, challenge).is_ok_and(bool::from)
    }
}

/// One direction: its keys, where its CBC chain stands, its next number.
struct Chain {
    protector: Protector,
    iv: [u8; CIPHER_BLOCK],
    counter: Counter,
}

impl Chain {
    fn new(keys: &SideKeys) -> Self {
        Self {
            protector: Protector::new(&keys.control_3des_key, &keys.shahmac_key),
            iv: keys.control_3des_iv,
            counter: Counter::default(),
        }
    }

    fn seal(&mut self, line: &[u8], flags: Flags) -> Result<Vec<u8>, Exhausted> {
        let trailer = trailer(flags, self.counter.take()?);
        let mut message = Vec::with_capacity(line.len() + MESSAGE_OVERHEAD);
        message.extend_from_slice(line);
        message.extend_from_slice(&trailer);
        self.protector.sign(&mut message, 0);
        self.encrypt(&mut message);
        Ok(message)
    }

    fn encrypt(&mut self, message: &mut Vec<u8>) {
        self.iv = self.protector.encrypt(message, 0, self.iv);
    }

    fn open(&mut self, message: &[u8], receiver: Side) -> Result<Opened, Unverified> {
        if message.len() > MAX_CONTROL_MESSAGE {
            return Err(Unverified);
        }
        let number = self.counter.take().map_err(|Exhausted| Unverified)?;
        let next_iv = last_block(message).ok_or(Unverified)?;
        let mut plain = message.to_vec();
        let x = self.protector.decrypt_and_verify(&mut plain, self.iv)?;
        // Only a reply can be one to what came in the clear.
        let answers_clear = receiver == Side::Client && x.ends_with(&trailer(Flags::ControlToClear, number));
        let flags = if answers_clear { Flags::ControlToClear } else { Flags::Control };
        let length = line_length(x, trailer(flags, number))?;
        self.iv = next_iv;
        plain.truncate(length);
        Ok(Opened { line: plain, number, answers_clear })
    }

    fn opens_proof(&mut self, mut message: [u8; PROOF], challenge: &[u8; CHALLENGE]) -> Result<Choice, Unverified> {
        let next_iv = last_block(&message).ok_or(Unverified)?;
        self.protector.decrypt(&mut message, self.iv)?;
        self.iv = next_iv;
        let (pad, well_padded) = measure_padding(&message);
        let (proof, _) = message.split_first_chunk::<CHALLENGE>().ok_or(Unverified)?;
        Ok(well_padded & usize::from(pad).ct_eq(&CIPHER_BLOCK) & proof.ct_eq(challenge))
    }
}

/// The most that a message is longer than its line: trailer, HMAC, padding.
const MESSAGE_OVERHEAD: usize = CONTROL_TRAILER + super::protector::HMAC_LENGTH + CIPHER_BLOCK;

/// `flags | sequence-#`
fn trailer(flags: Flags, number: u32) -> [u8; CONTROL_TRAILER] {
    let [a, b, c, d] = number.to_be_bytes();
    [flags.octet(), a, b, c, d]
}

/// Length of the line at the front of x, its CRLF not counted, if the trailer that has to follow it does.
fn line_length(x: &[u8], trailer: [u8; CONTROL_TRAILER]) -> Result<usize, Unverified> {
    let line = x.strip_suffix(&trailer).ok_or(Unverified)?;
    let line = line.strip_suffix(b"\r\n").unwrap_or(line);
    if line.iter().any(|octet| matches!(octet, b'\r' | b'\n')) { Err(Unverified) } else { Ok(line.len()) }
}

impl Drop for Chain {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.iv);
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chain").field("counter", &self.counter).finish_non_exhaustive()
    }
}

#[cfg(test)]
impl Control {
    /// Moves both counters of a fresh control connection.
    pub(super) fn starting_at(mut self, number: u32) -> Self {
        self.sealing.counter = Counter::starting_at(number);
        self.opening.counter = Counter::starting_at(number);
        self
    }
}
