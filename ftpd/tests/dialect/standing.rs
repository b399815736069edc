//! What SIZE, MDTM, MLST and HASH say of a name, and what REST continues.

use std::{
    fs::{self, File},
    time::{Duration, SystemTime},
};

use crate::support::{Gateway, World};

/// The words of a fact in the reply to MLST.
fn fact(alice: &mut Gateway, name: &str, fact: &str) -> String {
    let reply = alice.ask(&format!("MLST {name}"), 250);
    let (_, rest) = reply.split_once(&format!("{fact}=")).unwrap();
    rest.split_once(';').unwrap().0.to_owned()
}

fn told(alice: &mut Gateway, command: &str) -> String {
    alice.ask(command, 213)[4..].trim_end().to_owned()
}

#[test]
fn a_name_that_only_a_part_has_tells_its_size_and_time_everywhere() {
    let (world, mut alice) = World::with_alice();
    alice.store_broken("STOR a", "0123456");
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    File::open(&world.parts()[0]).unwrap().set_modified(time).unwrap();
    assert_eq!(told(&mut alice, "SIZE a"), "7");
    assert_eq!(told(&mut alice, "MDTM a"), "20231114221320");
    assert_eq!(fact(&mut alice, "a", "size"), "7");
    assert_eq!(fact(&mut alice, "a", "modify"), "20231114221320");
    assert_eq!(fact(&mut alice, "a", "perm"), "adw");
    alice.ask("RETR a", 550);
    assert_eq!(alice.fetch("NLST"), "");
}

#[test]
fn a_whole_file_is_what_size_and_time_and_hash_speak_of_whatever_lies_unfinished() {
    let (_world, mut alice) = World::with_alice();
    alice.store("STOR a", "whole");
    let (time, hash) = (told(&mut alice, "MDTM a"), told(&mut alice, "HASH a"));
    alice.store_broken("STOR a", "0123456");
    assert_eq!(told(&mut alice, "SIZE a"), "5");
    assert_eq!(fact(&mut alice, "a", "size"), "5");
    assert_eq!(told(&mut alice, "MDTM a"), time);
    assert_eq!(told(&mut alice, "HASH a"), hash);
    assert_eq!(alice.fetch("RETR a"), "whole");
}

#[test]
fn while_a_part_is_being_written_its_name_is_busy() {
    let (world, mut first) = World::with_alice();
    let mut second = world.login("alice");
    let file = first.begin_upload("STOR a", "0123");
    for command in ["SIZE a", "MDTM a", "MLST a", "HASH a", "DELE a"] {
        second.ask(command, 450);
    }
    drop(file);
    first.ask("XCOMPLETE", 226);
    assert_eq!(told(&mut second, "SIZE a"), "4");
}

#[test]
fn dele_removes_what_broken_uploads_of_a_name_left_behind() {
    let (world, mut alice) = World::with_alice();
    alice.store_broken("STOR a", "0123456");
    alice.store_broken("STOR b", "01");
    alice.ask("DELE a", 250);
    assert_eq!(world.parts().len(), 1);
    alice.ask("SIZE a", 550);
    alice.ask("DELE a", 550);
    assert_eq!(told(&mut alice, "SIZE b"), "2");
}

#[test]
fn dele_of_a_whole_file_leaves_a_newer_upload_to_be_continued() {
    let (world, mut alice) = World::with_alice();
    alice.store("STOR a", "whole");
    alice.store_broken("STOR a", "ne");
    alice.ask("DELE a", 250);
    assert_eq!(told(&mut alice, "SIZE a"), "2");
    alice.ask("REST 2", 350);
    alice.store("STOR a", "w");
    assert_eq!(fs::read_to_string(world.alice("a")).unwrap(), "new");
}

#[test]
fn a_reader_sees_parts_of_nobody() {
    let (world, mut alice) = World::with_alice();
    alice.store_broken("STOR a", "0123456");
    let mut reader = world.login("reader");
    for command in ["SIZE a", "MDTM a", "MLST a", "HASH a"] {
        reader.ask(command, 550);
    }
}
