//! Data blocks: their order, their end, and what does not verify.

use proptest::prelude::*;

use super::{
    super::{Block, BlockSize, DataKeys, Exhausted, Level, Opener, SealError, Sealer, TransferNumber, Unverified},
    KEY_1024, pair,
};

const TRANSFER: TransferNumber = TransferNumber(5);

fn size(octets: u32) -> BlockSize {
    BlockSize::negotiate(octets).unwrap()
}

/// Client's and server's keys of one session.
fn keys() -> (DataKeys, DataKeys) {
    let pair = pair(KEY_1024, 7);
    (pair.client.data, pair.server.data)
}

/// A download under way: what the server sends and the client receives.
fn download(level: Level, octets: u32) -> (Sealer, Opener) {
    let (client, server) = keys();
    (server.sealer(TRANSFER, level, size(octets)), client.opener(TRANSFER, level, size(octets)))
}

/// One block, its length field taken off.
fn block(sealer: &mut Sealer, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    sealer.seal(payload, &mut out).unwrap();
    without_length(out)
}

fn end(sealer: &mut Sealer) -> Vec<u8> {
    let mut out = Vec::new();
    sealer.finish(&mut out).unwrap();
    without_length(out)
}

fn without_length(mut out: Vec<u8>) -> Vec<u8> {
    let length = u32::from_be_bytes(out[..4].try_into().unwrap());
    let block = out.split_off(4);
    assert_eq!(block.len(), usize::try_from(length).unwrap());
    block
}

fn level() -> impl Strategy<Value = Level> {
    prop_oneof![Just(Level::Safe), Just(Level::Private)]
}

#[test]
fn pbsz_goes_from_64_to_65536() {
    assert_eq!(BlockSize::negotiate(0), None);
    assert_eq!(BlockSize::negotiate(63), None);
    let negotiated = [64, 4096, 65536, 65537, u32::MAX].map(|requested| size(requested).get());
    assert_eq!(negotiated, [64, 4096, 65536, 65536, 65536]);
}

#[test]
fn a_payload_leaves_room_for_number_hmac_and_padding() {
    let sizes = |level| [64, 65, 71, 72, 65536].map(|octets| download(level, octets).0.payload_size());
    assert_eq!(sizes(Level::Safe), [35, 36, 42, 43, 65507]);
    assert_eq!(sizes(Level::Private), [34, 34, 34, 42, 65506]);
}

#[test]
fn the_largest_payload_fits_and_one_octet_more_does_not() {
    for (level, octets, longest) in [(Level::Safe, 67, 67), (Level::Private, 71, 64), (Level::Private, 72, 72)] {
        let (mut sealer, mut opener) = download(level, octets);
        let payload = vec![1; sealer.payload_size()];
        let mut largest = block(&mut sealer, &payload);
        assert_eq!(largest.len(), longest);
        assert_eq!(opener.open(&mut largest), Ok(Block::Payload(&payload)));
        let length = payload.len() + 1;
        let error = sealer.seal(&vec![1; length], &mut Vec::new());
        assert_eq!(error, Err(SealError::PayloadSize { length, limit: payload.len() }));
    }
}

#[test]
fn an_empty_payload_is_not_sealed_since_it_would_be_the_end() {
    let (mut sealer, _) = download(Level::Private, 64);
    let mut out = Vec::new();
    assert_eq!(sealer.seal(&[], &mut out), Err(SealError::PayloadSize { length: 0, limit: 34 }));
    assert!(out.is_empty());
}

#[test]
fn only_safe_blocks_can_be_read_on_the_way() {
    let (mut safe, _) = download(Level::Safe, 64);
    let (mut private, _) = download(Level::Private, 64);
    let reads = |block: Vec<u8>| block.windows(6).any(|octets| octets == b"marker");
    assert!(reads(block(&mut safe, b"marker")));
    assert!(!reads(block(&mut private, b"marker")));
}

#[test]
fn nothing_is_sealed_after_the_end() {
    for level in [Level::Safe, Level::Private] {
        let (mut sealer, mut opener) = download(level, 64);
        let mut file = block(&mut sealer, b"all of it");
        assert_eq!(opener.open(&mut file), Ok(Block::Payload(b"all of it")));
        let end = end(&mut sealer);
        assert_eq!(opener.open(&mut end.clone()), Ok(Block::End));
        assert_eq!(opener.open(&mut end.clone()), Err(Unverified));
        assert_eq!(sealer.seal(b"more", &mut Vec::new()), Err(SealError::Exhausted(Exhausted)));
        assert_eq!(sealer.finish(&mut Vec::new()), Err(Exhausted));
    }
}

#[test]
fn an_empty_file_is_its_end_alone() {
    let (mut sealer, mut opener) = download(Level::Private, 64);
    assert_eq!(opener.open(&mut end(&mut sealer)), Ok(Block::End));
}

#[test]
fn a_length_is_at_least_1_and_at_most_pbsz() {
    let (_, opener) = download(Level::Private, 100);
    let length = |n: u32| opener.block_length(n.to_be_bytes());
    assert_eq!(length(0), Err(Unverified));
    assert_eq!(length(1), Ok(1));
    assert_eq!(length(100), Ok(100));
    assert_eq!(length(101), Err(Unverified));
    assert_eq!(length(u32::MAX), Err(Unverified));
}

#[test]
fn a_block_beyond_pbsz_is_unverified_even_if_its_length_was_not_asked_for() {
    let (client, server) = keys();
    let mut opener = client.opener(TRANSFER, Level::Safe, size(64));
    let mut large = block(&mut server.sealer(TRANSFER, Level::Safe, size(65)), &[1; 36]);
    assert_eq!(opener.open(&mut large), Err(Unverified));
}

#[test]
fn a_block_of_another_transfer_level_or_direction_is_unverified() {
    let (client, server) = keys();
    let first_block = |keys: &DataKeys, transfer, level| block(&mut keys.sealer(transfer, level, size(64)), b"x");
    for level in [Level::Safe, Level::Private] {
        let other_level = if level == Level::Safe { Level::Private } else { Level::Safe };
        let moved = [
            first_block(&server, TransferNumber(4), level),
            first_block(&server, TRANSFER, other_level),
            first_block(&client, TRANSFER, level),
        ];
        for mut block in moved {
            assert_eq!(client.opener(TRANSFER, level, size(64)).open(&mut block), Err(Unverified), "{level:?}");
        }
    }
}

#[test]
fn a_block_of_another_session_is_unverified() {
    let (mut sealer, _) = download(Level::Safe, 64);
    let mut opener = pair(KEY_1024, 99).client.data.opener(TRANSFER, Level::Safe, size(64));
    assert_eq!(opener.open(&mut block(&mut sealer, b"x")), Err(Unverified));
}

#[test]
fn the_last_number_is_used_and_then_the_transfer_has_to_end() {
    let (sealer, _) = download(Level::Safe, 64);
    let mut sealer = sealer.starting_at(u32::MAX);
    let last = block(&mut sealer, b"x");
    assert_eq!(last[1..10], [0, 0, 0, 5, 1, 0xff, 0xff, 0xff, 0xff]);
    assert_eq!(sealer.finish(&mut Vec::new()), Err(Exhausted));
}

#[test]
fn sealing_allocates_nothing_where_there_is_room() {
    let (mut sealer, _) = download(Level::Private, 4096);
    let mut out = Vec::with_capacity(4 + 4096);
    let place = out.as_ptr();
    for _ in 0..3 {
        out.clear();
        sealer.seal(&vec![1; sealer.payload_size()], &mut out).unwrap();
        assert_eq!((out.as_ptr(), out.len()), (place, 4 + 4096));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_file_comes_through(
        file in proptest::collection::vec(any::<u8>(), 0..2000),
        level in level(),
        octets in 64u32..300,
    ) {
        let (mut sealer, mut opener) = download(level, octets);
        let mut wire = Vec::new();
        for payload in file.chunks(sealer.payload_size()) {
            sealer.seal(payload, &mut wire).unwrap();
        }
        sealer.finish(&mut wire).unwrap();

        let (mut received, mut at) = (Vec::new(), 0);
        loop {
            let (header, block) = wire[at..].split_first_chunk_mut().unwrap();
            let length = opener.block_length(*header).unwrap();
            at += 4 + length;
            match opener.open(&mut block[..length]).unwrap() {
                Block::Payload(payload) => received.extend_from_slice(payload),
                Block::End => break,
            }
        }
        prop_assert_eq!(at, wire.len());
        prop_assert_eq!(received, file);
    }

    #[test]
    fn a_flipped_bit_is_unverified_and_so_is_the_rest(
        payload in proptest::collection::vec(any::<u8>(), 1..34),
        level in level(),
        at in any::<prop::sample::Index>(),
    ) {
        let (mut sealer, mut opener) = download(level, 64);
        let (mut first, mut second) = (block(&mut sealer, &payload), block(&mut sealer, &payload));
        let bit = at.index(first.len() * 8);
        first[bit / 8] ^= 1 << (bit % 8);
        prop_assert_eq!(opener.open(&mut first), Err(Unverified));
        prop_assert_eq!(opener.open(&mut second), Err(Unverified));
    }

    #[test]
    fn a_truncated_block_is_unverified(
        payload in proptest::collection::vec(any::<u8>(), 1..34),
        level in level(),
        at in any::<prop::sample::Index>(),
    ) {
        let (mut sealer, mut opener) = download(level, 64);
        let mut whole = block(&mut sealer, &payload);
        let length = at.index(whole.len());
        prop_assert_eq!(opener.open(&mut whole[..length]), Err(Unverified));
    }

    #[test]
    fn blocks_out_of_order_dropped_or_twice_are_unverified(level in level(), order in any::<[u8; 4]>()) {
        let order = order.map(|number| usize::from(number % 4));
        let (mut sealer, mut opener) = download(level, 64);
        let blocks: Vec<_> = (0..4).map(|number| block(&mut sealer, &[number])).collect();
        for (expected, number) in order.into_iter().enumerate() {
            let mut block = blocks[number].clone();
            let verified = opener.open(&mut block).is_ok();
            prop_assert_eq!(verified, expected == number);
            if !verified {
                break;
            }
        }
    }

    #[test]
    fn arbitrary_octets_are_unverified(octets in proptest::collection::vec(any::<u8>(), 0..65), level in level()) {
        let (_, mut opener) = download(level, 64);
        let mut block = octets;
        prop_assert_eq!(opener.open(&mut block), Err(Unverified));
    }
}
