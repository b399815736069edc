//! HASH, RANG and OPTS HASH (draft-bryan-ftpext-hash-02).

use std::fs::{self, File};

use sha2::{Digest as _, Sha256};

use crate::support::World;

fn sha256(octets: &[u8]) -> String {
    hex::encode(Sha256::digest(octets))
}

#[test]
fn hash_is_of_the_whole_file_or_of_the_range_that_rang_gave_once() {
    let (_world, mut alice) = World::with_alice();
    alice.store("STOR a", "0123456789");
    let whole = format!("213 SHA-256 0-9 {} /a\r\n", sha256(b"0123456789"));
    assert_eq!(alice.ask("HASH a", 213), whole);
    alice.ask("RANG 2 5", 350);
    assert_eq!(alice.ask("HASH a", 213), format!("213 SHA-256 2-5 {} /a\r\n", sha256(b"2345")));
    assert_eq!(alice.ask("HASH a", 213), whole);
    alice.ask("RANG 0 9", 350);
    alice.ask("RANG 1 0", 350);
    assert_eq!(alice.ask("HASH a", 213), whole);
}

#[test]
fn a_range_beyond_the_end_or_backwards_is_refused_and_forgotten() {
    let (_world, mut alice) = World::with_alice();
    alice.store("STOR a", "0123");
    alice.ask("RANG 0 4", 350);
    alice.ask("HASH a", 554);
    for wrong in ["RANG", "RANG 1", "RANG 2 1", "RANG -1 2", "RANG 0 +1", "RANG 0 1 2"] {
        alice.ask("RANG 0 0", 350);
        alice.ask(wrong, 501);
        assert!(alice.ask("HASH a", 213).contains("0-3"), "{wrong}");
    }
}

#[test]
fn a_file_of_many_steps_and_an_empty_one_are_hashed() {
    let (world, mut alice) = World::with_alice();
    let octets: Vec<u8> = (0..40_000_000_u32).map(|number| number.to_le_bytes()[1]).collect();
    fs::write(world.alice("large"), &octets).unwrap();
    assert!(alice.ask("HASH large", 213).contains(&sha256(&octets)));
    alice.ask("RANG 16777215 33554432", 350);
    assert!(alice.ask("HASH large", 213).contains(&sha256(&octets[16_777_215..=33_554_432])));
    alice.store("STOR empty", "");
    assert!(alice.ask("HASH empty", 213).contains(&sha256(b"")));
}

#[test]
fn what_cannot_be_hashed_is_refused() {
    let (world, mut alice) = World::with_alice();
    fs::create_dir(world.alice("dir")).unwrap();
    alice.ask("HASH dir", 553);
    alice.ask("HASH none", 550);
    alice.ask("HASH", 501);
    drop(File::create(world.data().join("secret")).unwrap());
    alice.ask("HASH ../secret", 550);
}

#[test]
fn sha_256_is_offered_and_selected() {
    let (_world, mut alice) = World::with_alice();
    assert!(alice.ask("FEAT", 211).contains("\r\n HASH SHA-256*;\r\n"));
    assert_eq!(alice.ask("OPTS HASH", 200), "200 SHA-256\r\n");
    assert_eq!(alice.ask("OPTS HASH sha-256", 200), "200 SHA-256\r\n");
    alice.ask("OPTS HASH MD5", 501);
}

#[test]
fn the_beginning_of_an_unfinished_upload_can_be_proven() {
    let (_world, mut alice) = World::with_alice();
    alice.store_broken("STOR a", "0123456789");
    alice.ask("RANG 0 4", 350);
    assert!(alice.ask("HASH a", 213).contains(&sha256(b"01234")));
    alice.ask("REST 10", 350);
    alice.store("STOR a", "!");
    assert!(alice.ask("HASH a", 213).contains(&sha256(b"0123456789!")));
}
