//! Names are octets.

use std::{ffi::OsStr, fs, os::unix::ffi::OsStrExt as _};

use safetp_config::ftpd::FtpdConfig;

use crate::support::{KEEP_PARTS_HOURS, PASSWORD, World, users};

#[test]
fn a_name_that_is_not_utf8_is_stored_listed_and_fetched_as_it_came() {
    let (world, mut alice) = World::with_alice();
    alice.store(b"STOR caf\xe9", "latin 1");
    assert!(world.alice("").join(OsStr::from_bytes(b"caf\xe9")).exists());
    assert_eq!(alice.fetch_octets(b"NLST"), b"caf\xe9\r\n");
    assert!(alice.fetch_octets(b"LIST").ends_with(b" caf\xe9\r\n"));
    assert!(alice.fetch_octets(b"MLSD").ends_with(b"; caf\xe9\r\n"));
    assert_eq!(alice.fetch_octets(b"NLST caf?"), b"caf\xe9\r\n");
    assert_eq!(alice.fetch_octets(b"RETR caf\xe9"), b"latin 1");
    assert_eq!(alice.ask_octets(b"SIZE caf\xe9", 213), b"213 7\r\n");
    assert!(alice.ask_octets(b"HASH caf\xe9", 213).ends_with(b" /caf\xe9\r\n"));
    alice.ask_octets(b"RNFR caf\xe9", 350);
    alice.ask_octets(b"RNTO \xff", 250);
    alice.ask_octets(b"DELE \xff", 250);
}

#[test]
fn replies_tell_names_octet_for_octet() {
    let (_world, mut alice) = World::with_alice();
    assert_eq!(alice.ask_octets(b"MKD caf\xe9", 257), b"257 \"/caf\xe9\" created.\r\n");
    alice.ask_octets(b"CWD caf\xe9", 250);
    assert_eq!(alice.ask_octets(b"PWD", 257), b"257 \"/caf\xe9\" is the current directory.\r\n");
    assert_eq!(alice.ask_octets(b"CWD \xff", 550), b"550 /caf\xe9/\xff: no such file or directory.\r\n");
    alice.ask("OPTS MLST type;", 200);
    assert_eq!(alice.ask_octets(b"MLST", 250), b"250-Facts:\r\n type=dir; /caf\xe9\r\n250 End.\r\n");
}

#[test]
fn uploads_of_names_that_differ_in_stray_octets_only_have_parts_of_their_own() {
    let (world, mut alice) = World::with_alice();
    drop(alice.begin_upload(b"STOR \xe8", "grave"));
    alice.ask("XFAILED", 426);
    drop(alice.begin_upload(b"STOR \xe9", "acute accent"));
    alice.ask("XFAILED", 426);
    assert_eq!(world.parts().len(), 2);
    assert_eq!(alice.ask_octets(b"SIZE \xe8", 213), b"213 5\r\n");
}

#[test]
fn a_new_name_with_control_characters_is_refused_with_a_sentence() {
    let (world, mut alice) = World::with_alice();
    alice.store("STOR plain", "");
    for command in ["STOR a\tb", "APPE a\tb", "MKD a\x1b[2J", "MKD a\u{85}b"] {
        assert!(alice.ask(command, 553).contains("control characters"), "{command:?}");
        alice.assert_no_descriptor();
    }
    alice.ask("RNFR plain", 350);
    assert!(alice.ask("RNTO a\x7f", 553).contains("control characters"));
    assert_eq!(alice.fetch("NLST"), "plain\r\n");
    assert!(world.parts().is_empty());
}

#[test]
fn a_file_whose_name_has_control_characters_already_can_be_put_right() {
    let (world, mut alice) = World::with_alice();
    fs::write(world.alice("a\tb"), "content").unwrap();
    assert_eq!(alice.fetch("NLST"), "a\tb\r\n");
    assert_eq!(alice.fetch("RETR a\tb"), "content");
    alice.ask("RNFR a\tb", 350);
    alice.ask("RNTO ab", 250);
}

#[test]
fn a_name_with_a_line_end_is_left_out() {
    let (world, mut alice) = World::with_alice();
    for name in ["line\nbreak", "line\rbreak", "fine"] {
        fs::write(world.alice(name), "").unwrap();
    }
    assert_eq!(alice.fetch("NLST"), "fine\r\n");
}

/// A world whose clients write names in windows-1252, but for bob's, in `Shift_JIS`, and reader's, in UTF-8.
fn world_of_old_clients() -> World {
    let world = World::new();
    let mut users = users();
    users.users.get_mut("bob").unwrap().name_encoding = Some("shift_jis".into());
    users.users.get_mut("reader").unwrap().name_encoding = Some("utf-8".into());
    let ftpd = FtpdConfig { keep_parts_hours: KEEP_PARTS_HOURS, name_encoding: Some("windows-1252".into()) };
    world.configure_files(&ftpd, &serde_json::to_vec(&users).unwrap());
    world.connect().ask("XDIGEST", 200);
    world
}

#[test]
fn a_name_encoding_converts_names_both_ways_for_clients_that_do_not_say_utf8() {
    let world = world_of_old_clients();
    let mut alice = world.login("alice");
    alice.store(b"STOR caf\xe9", "");
    assert!(world.alice("café").exists());
    assert_eq!(alice.fetch_octets(b"NLST"), b"caf\xe9\r\n");
    assert!(alice.fetch_octets(b"LIST").ends_with(b" caf\xe9\r\n"));
    assert!(alice.ask_octets(b"STAT caf\xe9", 213).ends_with(b" caf\xe9\r\n213 End.\r\n"));
    assert_eq!(alice.ask_octets(b"MKD \xfc", 257), b"257 \"/\xfc\" created.\r\n");
    assert_eq!(alice.ask_octets(b"RMD \xe4", 550), b"550 /\xe4: no such file or directory.\r\n");
    alice.ask("OPTS UTF8 ON", 200);
    assert_eq!(alice.fetch("NLST caf?"), "café\r\n");
    assert!(alice.ask("OPTS UTF8 OFF", 200).contains("windows-1252"));
    assert_eq!(alice.fetch_octets(b"NLST caf?"), b"caf\xe9\r\n");
}

#[test]
fn a_user_may_have_another_name_encoding_than_the_server() {
    let world = world_of_old_clients();
    let mut bob = world.login("bob");
    bob.ask_octets(b"MKD \x83\x5c", 257);
    assert!(world.data().join("bob/ソ").exists());
    let mut reader = world.login("reader");
    reader.ask("CWD é", 550);
    reader.ask("OPTS UTF8 OFF", 504);
}

#[test]
fn opts_utf8_on_before_the_login_counts_after_it() {
    let world = world_of_old_clients();
    let mut alice = world.connect();
    for (command, code) in [("OPTS UTF8 ON", 200), ("USER alice", 331)] {
        alice.ask(command, code);
    }
    alice.ask(&format!("PASS {PASSWORD}"), 230);
    alice.ask("MKD é", 257);
    assert!(world.alice("é").exists());
}

#[test]
fn an_encoding_that_cannot_be_used_leaves_the_files_before_in_force() {
    let world = world_of_old_clients();
    let before = world.connect().ask("XDIGEST", 200);
    let ftpd = FtpdConfig { keep_parts_hours: KEEP_PARTS_HOURS, name_encoding: Some("utf-16le".into()) };
    world.configure_files(&ftpd, &serde_json::to_vec(&users()).unwrap());
    assert_eq!(world.connect().ask("XDIGEST", 200), before);
}
