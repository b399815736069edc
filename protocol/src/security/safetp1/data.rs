//! Data connections under PROT S and PROT P: blocks with a number, and an end that is one of them.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use super::{
    counter::{Counter, Exhausted},
    keys::{SideKeys, left},
    protector::{CIPHER_BLOCK, HMAC_LENGTH, Protector, Unverified},
    wire_profile::{DATA_IV_LABEL, DATA_TRAILER, Flags, MOST_ENCRYPTED, PBSZ},
};

/// Protection of the blocks of a data connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Level {
    /// PROT S: integrity.
    Safe,
    /// PROT P: integrity and privacy.
    Private,
}

impl Level {
    fn flags(self, end: bool) -> Flags {
        match (self, end) {
            (Self::Safe, false) => Flags::DataSafe,
            (Self::Safe, true) => Flags::EndSafe,
            (Self::Private, false) => Flags::DataPrivate,
            (Self::Private, true) => Flags::EndPrivate,
        }
    }
}

/// The `sequence-#` of the command that opened the transfer, in the client's direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TransferNumber(pub u32);

/// The largest protected block, in octets, its length field not counted: 64 to 65536.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockSize(u32);

impl BlockSize {
    /// Result of `PBSZ requested`: the requested size, or the largest that there is. None below the least.
    pub fn negotiate(requested: u32) -> Option<Self> {
        (requested >= *PBSZ.start()).then(|| Self(requested.min(*PBSZ.end())))
    }

    /// The size in octets.
    pub fn get(self) -> u32 {
        self.0
    }

    fn octets(self) -> usize {
        usize::try_from(self.0).unwrap_or_default()
    }

    /// The most octets of a file that one block carries.
    fn payload(self, level: Level) -> usize {
        let overhead = DATA_TRAILER + HMAC_LENGTH;
        match level {
            Level::Safe => self.octets() - overhead,
            // At least one octet of padding.
            Level::Private => self.octets() / CIPHER_BLOCK * CIPHER_BLOCK - overhead - 1,
        }
    }
}

/// The keys of a session's data connections. Clones share them.
#[derive(Clone, Debug)]
pub struct DataKeys {
    sealing: Arc<DataKey>,
    opening: Arc<DataKey>,
}

/// The key of one direction, for all of its transfers.
#[derive(Debug)]
struct DataKey {
    protector: Protector,
    /// Octets of the blocks that it has encrypted.
    encrypted: AtomicU64,
}

impl DataKey {
    fn new(keys: &SideKeys) -> Arc<Self> {
        let protector = Protector::new(&keys.data_3des_key, &keys.shahmac_key);
        Arc::new(Self { protector, encrypted: AtomicU64::new(0) })
    }

    fn note_encrypted(&self, block: usize) {
        self.encrypted.fetch_add(block as u64, Ordering::Relaxed);
    }

    fn is_worn_out(&self) -> bool {
        self.encrypted.load(Ordering::Relaxed) >= MOST_ENCRYPTED
    }
}

impl DataKeys {
    pub(super) fn new(sealing: &SideKeys, opening: &SideKeys) -> Self {
        Self { sealing: DataKey::new(sealing), opening: DataKey::new(opening) }
    }

    /// Whether what this side sends has worn its key out: no further transfer may be encrypted with it
    /// ([`MOST_ENCRYPTED`]). One that is under way runs to its end.
    pub fn sealing_is_worn_out(&self) -> bool {
        self.sealing.is_worn_out()
    }

    /// The same for what this side receives.
    pub fn opening_is_worn_out(&self) -> bool {
        self.opening.is_worn_out()
    }

    /// For what this side sends in a transfer. No two sealers may have the same transfer.
    pub fn sealer(&self, transfer: TransferNumber, level: Level, size: BlockSize) -> Sealer {
        Sealer(Stream::new(&self.sealing, transfer, level, size))
    }

    /// For what this side receives in a transfer.
    pub fn opener(&self, transfer: TransferNumber, level: Level, size: BlockSize) -> Opener {
        Opener(Stream::new(&self.opening, transfer, level, size))
    }
}

/// Reason for which a payload was not sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The transfer has no number left, or has had its end.
    #[error(transparent)]
    Exhausted(#[from] Exhausted),
    /// An empty payload, or one of more than [`Sealer::payload_size`] octets.
    #[error("a block carries 1 to {limit} octets, not {length}")]
    PayloadSize {
        /// The octets that were to be sealed.
        length: usize,
        /// The most that one block carries.
        limit: usize,
    },
}

/// Makes the blocks of one transfer: [`Sealer::seal`] for each piece of the file, then [`Sealer::finish`] once.
#[derive(Debug)]
pub struct Sealer(Stream);

impl Sealer {
    /// The most octets of the file that one block carries.
    pub fn payload_size(&self) -> usize {
        self.0.size.payload(self.0.level)
    }

    /// Appends the length and the block of `payload`, which has 1 to [`Sealer::payload_size`] octets. Allocates nothing
    /// where `out` has room for a block.
    pub fn seal(&mut self, payload: &[u8], out: &mut Vec<u8>) -> Result<(), SealError> {
        let limit = self.payload_size();
        if payload.is_empty() || payload.len() > limit {
            return Err(SealError::PayloadSize { length: payload.len(), limit });
        }
        Ok(self.0.seal(payload, self.0.level.flags(false), out)?)
    }

    /// Appends the length and the block that is the end of the file. Nothing can be sealed after it.
    pub fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), Exhausted> {
        self.0.seal(&[], self.0.level.flags(true), out)?;
        self.0.counter.stop();
        Ok(())
    }
}

/// Contents of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Block<'a> {
    /// The next octets of the file; at least one.
    Payload(&'a [u8]),
    /// The end of the file. Without it a transfer is truncated.
    End,
}

/// Opens the blocks of one transfer, in their order.
///
/// After [`Block::End`], and after the first [`Unverified`], everything is [`Unverified`].
#[derive(Debug)]
pub struct Opener(Stream);

impl Opener {
    /// Size of the block that follows this length field, in octets: never more than the negotiated size.
    pub fn block_length(&self, header: [u8; 4]) -> Result<usize, Unverified> {
        usize::try_from(u32::from_be_bytes(header))
            .ok()
            .filter(|length| (1..=self.0.size.octets()).contains(length))
            .ok_or(Unverified)
    }

    /// Opens a block in its place, its length field not included. Where it does not verify, what is left in it must not
    /// be used.
    pub fn open<'a>(&mut self, block: &'a mut [u8]) -> Result<Block<'a>, Unverified> {
        let opened = self.0.open(block);
        if matches!(opened, Err(_) | Ok(Block::End)) {
            self.0.counter.stop();
        }
        opened
    }
}

/// One direction of one transfer.
#[derive(Debug)]
struct Stream {
    key: Arc<DataKey>,
    transfer: TransferNumber,
    level: Level,
    size: BlockSize,
    counter: Counter,
}

impl Stream {
    fn new(key: &Arc<DataKey>, transfer: TransferNumber, level: Level, size: BlockSize) -> Self {
        Self { key: Arc::clone(key), transfer, level, size, counter: Counter::default() }
    }

    fn seal(&mut self, payload: &[u8], flags: Flags, out: &mut Vec<u8>) -> Result<(), Exhausted> {
        let number = self.counter.take()?;
        let length = sealed_length(payload.len(), self.level);
        out.reserve(LENGTH_FIELD + length);
        out.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
        let start = out.len();
        out.extend_from_slice(payload);
        out.extend_from_slice(&self.trailer(flags, number));
        self.key.protector.sign(out, start);
        if self.level == Level::Private {
            self.key.note_encrypted(length);
            self.key.protector.encrypt(out, start, self.iv(number));
        }
        Ok(())
    }

    fn open<'a>(&mut self, block: &'a mut [u8]) -> Result<Block<'a>, Unverified> {
        let number = self.counter.take().map_err(|Exhausted| Unverified)?;
        if block.len() > self.size.octets() {
            return Err(Unverified);
        }
        let x = match self.level {
            Level::Safe => self.key.protector.verify(block)?,
            Level::Private => {
                self.key.note_encrypted(block.len());
                self.key.protector.decrypt_and_verify(block, self.iv(number))?
            }
        };
        let (payload, trailer) = x.split_last_chunk::<DATA_TRAILER>().ok_or(Unverified)?;
        let is = |end| *trailer == self.trailer(self.level.flags(end), number);
        match payload {
            [] if is(true) => Ok(Block::End),
            [_, ..] if is(false) => Ok(Block::Payload(payload)),
            _ => Err(Unverified),
        }
    }

    /// `transfer-# | flags | block-#`
    fn trailer(&self, flags: Flags, number: u32) -> [u8; DATA_TRAILER] {
        let [t0, t1, t2, t3] = self.transfer.0.to_be_bytes();
        let [n0, n1, n2, n3] = number.to_be_bytes();
        [t0, t1, t2, t3, flags.octet(), n0, n1, n2, n3]
    }

    /// No two blocks under one key have the same: transfer and number differ, or the keys do.
    fn iv(&self, number: u32) -> [u8; CIPHER_BLOCK] {
        left(&self.key.protector.hmac(&[DATA_IV_LABEL, &self.transfer.0.to_be_bytes(), &number.to_be_bytes()]))
    }
}

const LENGTH_FIELD: usize = 4;

/// The octets of the block of a payload.
fn sealed_length(payload: usize, level: Level) -> usize {
    let signed = payload + DATA_TRAILER + HMAC_LENGTH;
    match level {
        Level::Safe => signed,
        Level::Private => (signed / CIPHER_BLOCK + 1) * CIPHER_BLOCK,
    }
}

#[cfg(test)]
impl DataKeys {
    /// As if so many octets had been encrypted in each direction.
    pub(crate) fn note_encrypted(&self, octets: usize) {
        self.sealing.note_encrypted(octets);
        self.opening.note_encrypted(octets);
    }
}

#[cfg(test)]
impl Sealer {
    /// As if `number` blocks had gone before.
    pub(super) fn starting_at(mut self, number: u32) -> Self {
        self.0.counter = Counter::starting_at(number);
        self
    }
}
