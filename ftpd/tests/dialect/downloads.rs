//! RETR, SIZE and MDTM: restarts, files that change meanwhile, and broken downloads.

use std::{fs, io::Read as _};

use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::support::World;

#[test]
fn a_download_begins_where_rest_says() {
    let (_world, mut alice) = World::with_alice();
    alice.store("STOR a", "0123456789");
    for (start, rest) in [(0, "0123456789"), (4, "456789"), (10, "")] {
        alice.ask(&format!("REST {start}"), 350);
        assert_eq!(alice.fetch("RETR a"), rest);
    }
    alice.ask("REST 11", 350);
    alice.ask("RETR a", 554);
    alice.ask("REST -1", 501);
}

#[test]
fn a_download_goes_on_after_the_file_was_replaced_or_removed() {
    let (_world, mut alice) = World::with_alice();
    alice.store("STOR a", "old");
    let mut file = alice.begin("RETR a");
    alice.ask("XCOMPLETE", 226);
    alice.store("STOR a", "new");
    alice.ask("DELE a", 250);
    let mut text = String::new();
    file.read_to_string(&mut text).unwrap();
    assert_eq!(text, "old");
}

#[test]
fn only_regular_files_are_sent() {
    let (world, mut alice) = World::with_alice();
    fs::create_dir(world.alice("dir")).unwrap();
    mknodat(CWD, world.alice("fifo"), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    alice.ask("RETR dir", 550);
    alice.ask("RETR fifo", 550);
    alice.ask("RETR none", 550);
    alice.ask("SIZE dir", 550);
}

#[test]
fn a_broken_download_is_426() {
    let (_world, mut alice) = World::with_alice();
    alice.store("STOR a", "content");
    drop(alice.begin("RETR a"));
    alice.ask("XFAILED", 426);
    drop(alice.begin("RETR a"));
    alice.ask("ABOR", 426);
    alice.expect(226);
}

#[test]
fn size_and_time_are_told() {
    let (_world, mut alice) = World::with_alice();
    alice.store("STOR a", "12345");
    assert!(alice.ask("SIZE a", 213).starts_with("213 5\r\n"));
    alice.ask("MFMT 20200102030405 a", 213);
    assert!(alice.ask("MDTM a", 213).starts_with("213 20200102030405\r\n"));
    alice.ask("MFMT yesterday a", 501);
    alice.ask("MFMT 20200102030405", 501);
    alice.ask("TYPE A", 200);
    alice.ask("SIZE a", 550);
}
