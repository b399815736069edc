//! Commands of clients from before RFC 3659.

use std::{collections::BTreeSet, fs, io::Write as _, os::unix::fs::MetadataExt as _};

use crate::support::{Gateway, World, mode};

const TIME: &str = "20200102030405";
const SECONDS: i64 = 1_577_934_245;

fn modified(world: &World, name: &str) -> i64 {
    fs::metadata(world.alice(name)).unwrap().mtime()
}

/// The name that the server has found for an upload of `content`.
fn store_unique(alice: &mut Gateway, command: &str, content: &str) -> String {
    let reply = alice.ask(command, 150);
    let name = reply.trim_end().strip_prefix("150 FILE: ").unwrap().to_owned();
    alice.descriptor().write_all(content.as_bytes()).unwrap();
    alice.ask("XCOMPLETE", 226);
    name
}

#[test]
fn stou_tells_the_name_that_it_found() {
    let (world, mut alice) = World::with_alice();
    alice.ask("MKD scans", 257);
    alice.ask("CWD scans", 250);
    let mut names = BTreeSet::new();
    for page in ["one", "two", "three"] {
        let name = store_unique(&mut alice, "STOU", page);
        assert_eq!(fs::read_to_string(world.alice("scans").join(&name)).unwrap(), page);
        assert_eq!(alice.fetch(&format!("RETR {name}")), page);
        names.insert(name);
    }
    assert_eq!(names.len(), 3);
}

#[test]
fn stou_never_replaces_the_file_whose_name_it_was_given() {
    let (world, mut alice) = World::with_alice();
    alice.store("STOR scan.pdf", "old");
    let name = store_unique(&mut alice, "STOU scan.pdf", "new");
    assert!(name.starts_with("scan-") && name.rsplit('.').next() == Some("pdf"), "{name}");
    assert_eq!(fs::read_to_string(world.alice("scan.pdf")).unwrap(), "old");
    assert_eq!(fs::read_to_string(world.alice(&name)).unwrap(), "new");
}

#[test]
fn mdtm_with_a_time_sets_it_unless_a_file_has_that_name() {
    let (world, mut alice) = World::with_alice();
    alice.store("STOR a b", "");
    assert!(alice.ask(&format!("MDTM {TIME} a b"), 213).contains(TIME));
    assert_eq!(modified(&world, "a b"), SECONDS);
    alice.store(format!("STOR {TIME} a b"), "");
    alice.ask(&format!("MDTM 20000101000000 {TIME} a b"), 213);
    assert_eq!(alice.ask(&format!("MDTM {TIME} a b"), 213), "213 20000101000000\r\n");
    assert_eq!(modified(&world, "a b"), SECONDS);
    assert!(alice.ask(&format!("MDTM {TIME}+60 a b"), 501).contains("in UTC"));
    alice.ask(&format!("MDTM {TIME} none"), 550);
}

#[test]
fn a_directory_has_a_time_too() {
    let (world, mut alice) = World::with_alice();
    alice.ask("MKD dir", 257);
    assert_eq!(alice.ask(&format!("MFMT {TIME} dir"), 213), format!("213 Modify={TIME}; /dir\r\n"));
    assert_eq!(modified(&world, "dir"), SECONDS);
    alice.ask("RETR dir", 550);
}

#[test]
fn site_utime_sets_the_time_in_both_of_its_forms() {
    let (world, mut alice) = World::with_alice();
    for name in ["short", "long name"] {
        alice.store(format!("STOR {name}"), "");
    }
    alice.ask("SITE UTIME 202001020304 short", 200);
    assert_eq!(modified(&world, "short"), SECONDS - 5);
    let text = alice.ask(&format!("site utime long name 20000101000000 {TIME} 20000101000000 UTC"), 200);
    assert!(text.contains("not changed"), "{text}");
    assert_eq!(modified(&world, "long name"), SECONDS);
    alice.ask("SITE UTIME yesterday short", 501);
    alice.ask("SITE UTIME", 501);
}

#[test]
fn site_chmod_does_what_it_can_and_tells_what_the_mode_is() {
    let (world, mut alice) = World::with_alice();
    alice.store("STOR a", "content");
    alice.ask("MKD dir", 257);
    assert_eq!(alice.ask("SITE CHMOD 644 a", 200), "200 The mode is 0644.\r\n");
    assert_eq!(mode(&world.alice("a")), 0o644);
    assert!(alice.ask("SITE CHMOD 6000 a", 200).starts_with("200 The mode is 0600: "));
    assert_eq!((mode(&world.alice("a")), alice.fetch("RETR a").as_str()), (0o600, "content"));
    alice.ask("SITE CHMOD 0 dir", 200);
    assert_eq!(mode(&world.alice("dir")), 0o700);
    alice.ask("SITE CHMOD u+w a", 501);
    alice.ask("SITE CHMOD 640 none", 550);
    assert!(alice.ask("SITE HELP", 214).contains("CHMOD"));
}

#[test]
fn site_chmod_leaves_the_bit_by_which_a_directory_passes_its_group_on() {
    let (world, mut alice) = World::with_alice();
    alice.ask("MKD dir", 257);
    rustix::fs::chmod(world.alice("dir"), 0o2770.into()).unwrap();
    alice.ask("SITE CHMOD 755 dir", 200);
    assert_eq!(mode(&world.alice("dir")), 0o2755);
}

#[test]
fn who_may_only_read_changes_neither_time_nor_mode() {
    let (world, mut alice) = World::with_alice();
    alice.store("STOR a", "");
    let mut reader = world.login("reader");
    for command in ["MDTM 20200102030405 a", "SITE UTIME 20200102030405 a", "SITE CHMOD 600 a", "STOU"] {
        assert!(reader.ask(command, 550).contains("only read"), "{command}");
    }
    assert_ne!(modified(&world, "a"), SECONDS);
}
