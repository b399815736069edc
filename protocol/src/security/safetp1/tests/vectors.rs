//! `testdata/x-safetp1/vectors.json`: exchanges with known keys and nonces, made by this code and replayed by it.
//!
//! `SAFETP_WRITE_VECTORS=1 cargo test -p safetp-protocol` writes it anew.

mod file;
mod make;
mod refused;
mod words;

use std::sync::Arc;

use dsa::pkcs8::EncodePrivateKey;
use file::{Blocks, Case, File, Place, Refused, unhex};
use pkcs8::LineEnding;

use super::{
    super::{
        Block, BlockSize, Control, Level, PublicKey, Secured, SigningKey, TransferNumber, client,
        keys::{MasterKey, Side, make_keys},
        server,
    },
    key,
};

#[test]
fn the_file_is_what_this_code_makes() {
    if std::env::var_os("SAFETP_WRITE_VECTORS").is_some() {
        make::file().write();
    }
    assert!(File::read() == make::file(), "the vectors have changed: is that meant?");
}

#[test]
fn a_server_with_these_numbers_says_these_messages() {
    for case in File::read().cases {
        let (awaiting_key, message1) = server::begin(server_key(&case));
        assert_eq!(hex::encode(message1), case.messages.m1);
        let ip = make::address(&case);
        let mut draws = make::server_draws(&case);
        let (awaiting_proof, message3) = awaiting_key.answer(&unhex(&case.messages.m2), ip, &mut draws).unwrap();
        assert_eq!(hex::encode(message3), case.messages.m3);
        let secured = awaiting_proof.finish(&unhex(&case.messages.m4)).unwrap();
        replay(&case, secured, Side::Server);
    }
}

#[test]
fn a_client_with_these_numbers_says_these_messages() {
    for case in File::read().cases {
        let message1 = unhex(&case.messages.m1);
        let mut draws = make::client_draws(&case);
        let (awaiting, message2) = client::begin(&message1, &mut draws).unwrap();
        assert_eq!(hex::encode(message2), case.messages.m2);
        assert_eq!(awaiting.server_key().fingerprint().to_string(), case.dsa.fingerprint);
        let (secured, message4) = awaiting.finish(&unhex(&case.messages.m3), make::address(&case)).unwrap();
        assert_eq!(hex::encode(message4), case.messages.m4);
        replay(&case, secured, Side::Client);
    }
}

#[test]
fn the_keys_are_those_of_make_keys() {
    for case in File::read().cases {
        let master = MasterKey::new(unhex(&case.server.master_key).try_into().unwrap());
        assert!(file::Keys::new(&make_keys(&master)) == case.keys, "{}", case.name);
    }
}

#[test]
fn what_must_be_refused_is_refused() {
    for case in File::read().cases {
        for refused in &case.refused {
            assert!(is_refused(&case, refused), "{}: {}", case.name, refused.name);
        }
    }
}

fn is_refused(case: &Case, refused: &Refused) -> bool {
    let mut octets = unhex(&refused.octets);
    let message = |genuine: &str, place| if refused.place == place { octets.clone() } else { unhex(genuine) };
    let ip = make::address(case);
    let (awaiting, _) = client::begin(&unhex(&case.messages.m1), &mut make::client_draws(case)).unwrap();
    let Ok((client, _)) = awaiting.finish(&message(&case.messages.m3, Place::Message3), ip) else {
        return refused.place == Place::Message3;
    };
    let (awaiting, _) = server::begin(server_key(case));
    let message2 = message(&case.messages.m2, Place::Message2);
    let Ok((awaiting, _)) = awaiting.answer(&message2, ip, &mut make::server_draws(case)) else {
        return refused.place == Place::Message2;
    };
    let Ok(server) = awaiting.finish(&message(&case.messages.m4, Place::Message4)) else {
        return refused.place == Place::Message4;
    };
    let mut receiver = if refused.to == file::Side::Client { client } else { server };
    match refused.place {
        Place::Control => receiver.control.open(&octets).is_err(),
        Place::Block { transfer, level, pbsz } => {
            let size = BlockSize::negotiate(pbsz).unwrap();
            receiver.data.opener(TransferNumber(transfer), level.into(), size).open(&mut octets).is_err()
        }
        _ => false,
    }
}

/// Everything that the other side says opens; everything that this side says comes out the same.
fn replay(case: &Case, mut secured: Secured, side: Side) {
    for message in &case.control {
        if message.from == side {
            assert_eq!(secured.control.next_sealed(), message.number);
            assert_eq!(seal(&mut secured.control, message), message.sealed);
        } else {
            let opened = secured.control.open(&unhex(&message.sealed)).unwrap();
            assert_eq!((opened.number, opened.line), (message.number, message.line.trim_end().into()));
            assert_eq!(opened.answers_clear, message.flags == "0a");
        }
    }
    for blocks in &case.data {
        if blocks.from == side {
            replay_sealing(blocks, &secured);
        } else {
            replay_opening(blocks, &secured);
        }
    }
}

fn seal(control: &mut Control, message: &file::Message) -> String {
    let seal = if message.flags == "0a" { Control::seal_answer_to_clear } else { Control::seal };
    hex::encode(seal(control, message.line.as_bytes()).unwrap())
}

fn replay_sealing(blocks: &Blocks, secured: &Secured) {
    let (transfer, level, size) = transfer(blocks);
    let mut sealer = secured.data.sealer(transfer, level, size);
    for block in &blocks.all {
        let (payload, mut wire) = (block.payload(), Vec::new());
        if block.end {
            sealer.finish(&mut wire).unwrap();
        } else {
            sealer.seal(&payload, &mut wire).unwrap();
        }
        assert_eq!(wire[..4], unhex(&block.length));
        block.assert_is(&wire[4..]);
    }
}

/// Blocks that the file has only the hash of are sealed anew by [`replay_sealing`]; here they end the replay.
fn replay_opening(blocks: &Blocks, secured: &Secured) {
    let (transfer, level, size) = transfer(blocks);
    let mut opener = secured.data.opener(transfer, level, size);
    for block in &blocks.all {
        let Some(mut octets) = block.octets() else { return };
        let header = unhex(&block.length).try_into().unwrap();
        assert_eq!(opener.block_length(header), Ok(octets.len()));
        match opener.open(&mut octets).unwrap() {
            Block::Payload(payload) => assert_eq!(payload, block.payload()),
            Block::End => assert!(block.end),
        }
    }
}

fn transfer(blocks: &Blocks) -> (TransferNumber, Level, BlockSize) {
    (TransferNumber(blocks.transfer), blocks.level.into(), BlockSize::negotiate(blocks.pbsz).unwrap())
}

/// The key, from its numbers alone.
fn server_key(case: &Case) -> Arc<SigningKey> {
    let number = |hex: &String| dsa::BoxedUint::from_be_slice_vartime(&unhex(hex));
    let numbers = &case.dsa;
    let components =
        dsa::Components::from_components(number(&numbers.p), number(&numbers.q), number(&numbers.g)).unwrap();
    let verifying = dsa::VerifyingKey::from_components(components, number(&numbers.y)).unwrap();
    let signing = dsa::SigningKey::from_components(verifying, number(&numbers.x)).unwrap();
    let key = key(&signing.to_pkcs8_pem(LineEnding::LF).unwrap());
    assert_eq!(key.public_key(), &PublicKey::from_wire(&unhex(&case.messages.m1)).unwrap());
    key
}
