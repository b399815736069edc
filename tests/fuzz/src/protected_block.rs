//! Octets under X-SafeTP1: messages of the control connection, and data connections with their framing.

use std::{cell::RefCell, sync::LazyLock};

use safetp_protocol::security::safetp1::{
    Block, BlockSize, Control, DataKeys, Level, Opener, Sealer, TransferNumber, Unverified,
    wire_profile::MAX_CONTROL_MESSAGE,
};

use crate::exchange::secured;

const LENGTH_FIELD: usize = 4;

/// A few blocks. Instrumented, 3DES is slow.
const LONGEST: usize = 512;

/// A block, and what the connection has brought after it.
type Split<'a> = (&'a mut [u8], Vec<u8>);

/// The client's keys and the server's.
static KEYS: LazyLock<(DataKeys, DataKeys)> = LazyLock::new(|| {
    let (client, server) = secured();
    (client.data, server.data)
});

thread_local! {
    /// Both ends of a control connection, for as long as nothing has broken it: making them takes an exchange.
    static CONTROL: RefCell<Option<(Control, Control)>> = const { RefCell::new(None) };
}

/// The first octet says what the rest is for.
pub fn check(octets: &[u8]) {
    let Some((choice, rest)) = super::choice(octets).filter(|(_, rest)| rest.len() <= LONGEST) else { return };
    let level = if choice & 1 == 0 { Level::Safe } else { Level::Private };
    match choice >> 1 & 15 {
        0..4 => raw_data(level, rest),
        // Seldom, since what is broken has to be made anew.
        15 => control(rest),
        _ => tampered_data(level, rest),
    }
}

/// A stranger's octets on a data connection.
fn raw_data(level: Level, octets: &[u8]) {
    let (_, mut opener) = ends(level, 4096);
    let mut rest = octets.to_vec();
    while let Ok(Some((block, following))) = next_block(&opener, &mut rest) {
        assert_eq!(opener.open(block), Err(Unverified), "a stranger has no keys");
        rest = following;
    }
}

/// A file in blocks, one of which an attacker has changed, left out, doubled or moved: all before it arrives, nothing
/// after it does, and the file does not end well.
fn tampered_data(level: Level, octets: &[u8]) {
    let [what, which, at, file @ ..] = octets else { return };
    let (mut sealer, mut opener) = ends(level, 64 + u32::from(*at));
    let mut blocks = Vec::new();
    for payload in file.chunks(sealer.payload_size()) {
        let mut block = Vec::new();
        sealer.seal(payload, &mut block).expect("a payload of the right size");
        blocks.push(block);
    }
    let mut end = Vec::new();
    sealer.finish(&mut end).expect("the first end");
    blocks.push(end);
    let index = usize::from(*which) % blocks.len();
    let genuine = blocks.clone();
    tamper(&mut blocks, index, *what, usize::from(*at));
    let same = blocks.iter().zip(&genuine).take_while(|(got, sent)| got == sent).count();
    let whole = blocks.len() == genuine.len() && same == genuine.len();

    let mut received = Vec::new();
    let mut ended = false;
    let mut wire = blocks.concat();
    while let Ok(Some((block, following))) = next_block(&opener, &mut wire) {
        assert!(!ended || opener.open(&mut block.to_vec()).is_err(), "nothing may follow the end");
        match opener.open(block) {
            Ok(Block::Payload(payload)) => received.extend_from_slice(payload),
            Ok(Block::End) => ended = true,
            Err(Unverified) => break,
        }
        wire = following;
    }
    assert!(file.starts_with(&received), "only what was sent may arrive");
    let doubled_end = same == genuine.len() && blocks.len() > genuine.len();
    assert_eq!(ended, whole || doubled_end, "a file ends where its sender ended it");
    assert!(!ended || received == file);
}

fn tamper(blocks: &mut Vec<Vec<u8>>, index: usize, what: u8, at: usize) {
    let Some(block) = blocks.get_mut(index) else { return };
    match what % 6 {
        1 => {
            let bit = at % (block.len() * 8);
            block.get_mut(bit / 8).into_iter().for_each(|octet| *octet ^= 1 << (bit % 8));
        }
        2 => drop(blocks.remove(index)),
        3 => {
            let double = block.clone();
            blocks.insert(index, double);
        }
        4 => {
            let other = at % blocks.len();
            blocks.swap(index, other);
        }
        5 => block.truncate(at % block.len()),
        _ => {}
    }
}

/// The first octets say what an attacker changes of a message, the rest is the line in it.
fn control(octets: &[u8]) {
    let [what, at, line @ ..] = octets else { return };
    let (mut client, mut server) = CONTROL.take().unwrap_or_else(|| {
        let (client, server) = secured();
        (client.control, server.control)
    });
    let Ok(genuine) = client.seal(line) else { return };
    let bare = line.strip_suffix(b"\r\n").unwrap_or(line);
    let is_line = genuine.len() <= MAX_CONTROL_MESSAGE && !bare.iter().any(|octet| matches!(octet, b'\r' | b'\n'));
    let mut messages = vec![genuine.clone()];
    tamper(&mut messages, 0, *what, usize::from(*at));
    for (count, message) in messages.iter().enumerate() {
        let expected = count == 0 && is_line && *message == genuine;
        let opened = server.open(message);
        assert_eq!(opened.is_ok(), expected, "a message is taken once, and as it was sent");
        let Ok(opened) = opened else { return };
        assert_eq!(opened.line, bare);
    }
    // One that was left out is noticed by the next.
    if messages.len() == 1 {
        CONTROL.set(Some((client, server)));
    }
}

fn ends(level: Level, size: u32) -> (Sealer, Opener) {
    let (client, server) = &*KEYS;
    let size = BlockSize::negotiate(size).expect("a size that can be had");
    (client.sealer(TransferNumber(7), level, size), server.opener(TransferNumber(7), level, size))
}

/// The first block and what follows it; none where the connection ends before it is whole.
fn next_block<'a>(opener: &Opener, wire: &'a mut [u8]) -> Result<Option<Split<'a>>, Unverified> {
    let Some(header) = wire.first_chunk::<LENGTH_FIELD>() else { return Ok(None) };
    let length = opener.block_length(*header)?;
    let (block, following) = wire.split_at_mut(wire.len().min(LENGTH_FIELD + length));
    let whole = block.len() == LENGTH_FIELD + length;
    Ok(block.get_mut(LENGTH_FIELD..).filter(|_| whole).map(|block| (block, following.to_vec())))
}
