//! New users and settings come into force without a restart.

use std::{fs, io::Write as _};

use safetp_config::{
    Digest,
    ftpd::PasswordHash,
    paths::{FTPD_FILE, USERS_FILE},
};

use crate::support::{World, eventually, hash_of, users};

#[test]
fn the_digest_is_that_of_the_files_from_the_moment_they_change() {
    let world = World::new();
    let mut gateway = world.connect();
    let told = |gateway: &mut crate::support::Gateway| digest(&gateway.ask("XDIGEST", 200));
    let before = told(&mut gateway);
    let mut fewer = users();
    fewer.users.remove("bob");
    world.configure(&fewer);
    let after = told(&mut gateway);
    assert_ne!(before, after);
    let files = [FTPD_FILE, USERS_FILE].map(|name| (name, fs::read(world.config().join(name)).unwrap()));
    let expected = Digest::of(files.iter().map(|(name, content)| (*name, content.as_slice())));
    assert_eq!(after, expected.as_str());
}

fn digest(reply: &str) -> String {
    reply.split_ascii_whitespace().nth(1).unwrap().to_owned()
}

#[test]
fn a_new_password_is_in_force_without_being_asked_for_and_ends_no_session() {
    let (world, mut alice) = World::with_alice();
    let mut changed = users();
    changed.users.get_mut("alice").unwrap().password = PasswordHash(hash_of("new"));
    world.configure(&changed);
    eventually("the new password", || {
        let mut gateway = world.connect();
        gateway.ask("USER alice", 331);
        gateway.send(b"PASS new\r\n");
        gateway.reply().unwrap().code().is_success()
    });
    alice.ask("NOOP", 200);
}

#[test]
fn the_session_of_a_removed_user_ends() {
    let (world, mut alice) = World::with_alice();
    let mut fewer = users();
    fewer.users.remove("alice");
    world.configure(&fewer);
    alice.expect(421);
    assert!(alice.reply().is_none());
}

#[test]
fn the_running_upload_of_a_removed_user_ends_and_stores_nothing() {
    let (world, mut alice) = World::with_alice();
    let mut file = alice.begin("STOR a");
    let mut fewer = users();
    fewer.users.remove("alice");
    world.configure(&fewer);
    alice.expect(421);
    file.write_all(b"late").unwrap();
    assert!(!world.alice("a").exists());
}

#[test]
fn a_user_who_may_only_read_from_now_on_keeps_the_session() {
    let (world, mut alice) = World::with_alice();
    let mut changed = users();
    changed.users.get_mut("alice").unwrap().read_only = true;
    world.configure(&changed);
    alice.ask("XDIGEST", 200);
    alice.ask("STOR a", 550);
}

#[test]
fn files_that_cannot_be_read_keep_the_old_ones_in_force() {
    let world = World::new();
    let mut gateway = world.connect();
    let before = gateway.ask("XDIGEST", 200);
    world.configure_raw(b"{ not json");
    assert_eq!(gateway.ask("XDIGEST", 200), before);
    drop(world.login("alice"));
}
