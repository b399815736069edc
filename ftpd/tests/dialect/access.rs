//! Logging in: USER, PASS, and what a stranger may send.

use std::fs;

use crate::support::{PASSWORD, World, mode};

#[test]
fn a_wrong_password_and_an_unknown_name_get_the_same_answer() {
    let world = World::new();
    let mut gateway = world.connect();
    gateway.ask("USER alice", 331);
    let wrong = gateway.ask("PASS wrong", 530);
    gateway.ask("USER nobody", 331);
    assert_eq!(gateway.ask(&format!("PASS {PASSWORD}"), 530), wrong);
    gateway.ask("LIST", 530);
    gateway.ask("USER alice", 331);
    gateway.ask(&format!("PASS {PASSWORD}"), 230);
}

#[test]
fn pass_needs_a_user_before_it_each_time() {
    let world = World::new();
    let mut gateway = world.connect();
    gateway.ask(&format!("PASS {PASSWORD}"), 503);
    gateway.ask("USER alice", 331);
    gateway.ask("PASS wrong", 530);
    gateway.ask(&format!("PASS {PASSWORD}"), 503);
}

#[test]
fn the_fifth_failure_ends_the_session() {
    let world = World::new();
    let mut gateway = world.connect();
    for _ in 0..4 {
        gateway.ask("USER alice", 331);
        gateway.ask("PASS wrong", 530);
    }
    gateway.ask("USER alice", 331);
    gateway.ask("PASS wrong", 421);
    assert!(gateway.reply().is_none());
}

#[test]
fn strangers_get_nothing_but_what_leads_to_a_login() {
    let world = World::new();
    let mut gateway = world.connect();
    for command in ["FEAT", "NOOP", "SYST", "HELP", "OPTS UTF8 ON", "XDIGEST"] {
        gateway.send(format!("{command}\r\n").as_bytes());
        assert!(gateway.reply().unwrap().code().is_success(), "{command}");
    }
    let files = ["LIST", "NLST", "MLSD", "MLST", "RETR a", "STOR a", "APPE a", "SIZE a", "MDTM a", "DELE a", "CWD a"];
    let others = ["PWD", "CDUP", "MKD a", "RMD a", "RNFR a", "RNTO a", "REST 1", "TYPE I", "STAT", "STAT a", "ABOR"];
    for command in files.into_iter().chain(others).chain(["MFMT 20200101000000 a", "OPTS MLST size;", "SITE HELP"]) {
        gateway.ask(command, 530);
    }
    gateway.assert_no_descriptor();
}

#[test]
fn the_peer_is_told_once_and_before_the_user() {
    let world = World::new();
    let mut gateway = world.connect();
    gateway.ask("XPEER 192.0.2.1", 501);
    gateway.ask("XPEER 192.0.2.1 7", 200);
    gateway.ask("XPEER 192.0.2.1 7", 503);
    let mut gateway = world.login("alice");
    gateway.ask("XPEER 192.0.2.1 7", 503);
}

#[test]
fn a_home_is_made_at_the_first_login() {
    let world = World::new();
    assert!(!world.alice("").exists());
    let mut alice = world.login("alice");
    assert_eq!(mode(&world.alice("")), 0o750);
    alice.ask("PWD", 257);
}

#[test]
fn a_home_that_is_a_file_refuses_the_login_and_says_why() {
    let world = World::new();
    fs::write(world.data().join("alice"), "").unwrap();
    let mut gateway = world.connect();
    gateway.ask("USER alice", 331);
    assert!(gateway.ask(&format!("PASS {PASSWORD}"), 530).contains("home"));
}

#[test]
fn who_may_only_read_changes_nothing() {
    let (world, mut alice) = World::with_alice();
    alice.store("STOR a", "content");
    let mut reader = world.login("reader");
    assert_eq!(reader.fetch("RETR a"), "content");
    assert!(reader.fetch("MLSD").contains("perm=r;"));
    for command in ["STOR b", "APPE a", "DELE a", "MKD d", "RMD d", "RNFR a", "RNTO b", "MFMT 20200101000000 a"] {
        reader.ask(command, 550);
    }
    assert_eq!(fs::read_to_string(world.alice("a")).unwrap(), "content");
}
