//! A volume that is full or fails: every upload that was answered by 226 is there, and other sessions are not
//! disturbed.

use std::fs;

use safetp_pod::Disk;

use crate::{
    support::{Client, Pod, wait_until},
    transfers::octets,
};

const MIB: usize = 1 << 20;

/// Number of parts that unfinished uploads have left in alice's home.
fn parts(pod: &Pod) -> usize {
    fs::read_dir(pod.alice(".safetp-parts")).map_or(0, Iterator::count)
}

/// Sends all of `content`, though the server may have given up before the end.
fn try_to_store(client: &mut Client, name: &str, content: &[u8]) {
    let mut data = client.open(&format!("STOR {name}"));
    if data.write_all(content).is_ok() {
        data.finish();
    } else {
        data.cut();
    }
}

fn break_off(client: &mut Client, name: &str, content: &[u8]) {
    let mut data = client.open(&format!("STOR {name}"));
    data.write_all(content).unwrap();
    data.cut();
    client.expect(426);
}

fn full_volume_is_left_as_it_was(pod: &Pod) {
    let mut client = pod.login();
    let mut other = pod.login();
    let file = octets(3 * MIB);
    client.store("STOR before", &file);
    let download = other.open("RETR before");
    try_to_store(&mut client, "large", &octets(40 * MIB));
    client.expect(452);
    assert_eq!(parts(pod), 0);
    client.ask("SIZE large", 550);
    assert_eq!(download.read_to_end().unwrap(), file);
    other.expect(226);
    let next = octets(20 * MIB);
    other.store("STOR next", &next);
    assert_eq!(fs::read(pod.alice("next")).unwrap(), next);
    assert_eq!(fs::read(pod.alice("before")).unwrap(), file);
}

#[test]
fn an_upload_that_fills_a_tmpfs_is_452_and_gives_the_space_back() {
    let pod = Pod::new();
    let Some(_disk) = Disk::tmpfs(&pod.alice(""), 32) else { return };
    full_volume_is_left_as_it_was(&pod);
}

#[test]
fn an_upload_that_fills_an_ext4_is_452_and_gives_the_space_back() {
    let pod = Pod::new();
    let Some(_disk) = Disk::ext4(&pod.alice(""), 32) else { return };
    full_volume_is_left_as_it_was(&pod);
}

#[test]
fn the_oldest_interrupted_uploads_are_removed_first_when_space_is_short() {
    let pod = Pod::new();
    let Some(_disk) = Disk::tmpfs(&pod.alice(""), 32) else { return };
    let mut client = pod.login();
    for name in ["first", "second", "third"] {
        break_off(&mut client, name, &octets(4 * MIB));
    }
    client.store("STOR other", &octets(5 * MIB));
    assert_eq!(parts(&pod), 3);
    // 15 MiB are free.
    client.store("STOR whole", &octets(18 * MIB));
    client.ask("SIZE first", 550);
    assert!(client.ask("SIZE second", 213).contains(&(4 * MIB).to_string()));
    assert!(client.ask("SIZE third", 213).contains(&(4 * MIB).to_string()));
}

#[test]
fn one_home_keeps_unfinished_uploads_of_half_the_volume_at_most() {
    let pod = Pod::new();
    let Some(_disk) = Disk::tmpfs(&pod.alice(""), 32) else { return };
    let mut client = pod.login();
    for (name, kept) in [("first", 1), ("second", 2), ("third", 3), ("fourth", 3)] {
        break_off(&mut client, name, &octets(5 * MIB));
        assert_eq!(parts(&pod), kept, "after {name}");
    }
    client.ask("SIZE first", 550);
    assert!(client.ask("SIZE fourth", 213).contains(&(5 * MIB).to_string()));
}

#[test]
fn interrupted_uploads_are_removed_while_an_upload_needs_space() {
    let pod = Pod::new();
    let Some(_disk) = Disk::tmpfs(&pod.alice(""), 32) else { return };
    let mut client = pod.login();
    for name in ["first", "second", "third"] {
        break_off(&mut client, name, &octets(5 * MIB));
    }
    let half = octets(12 * MIB);
    let mut data = client.open("STOR whole");
    data.write_all(&half).unwrap();
    wait_until("all parts but the running upload are gone", || parts(&pod) == 1);
    data.write_all(&half).unwrap();
    data.finish();
    client.expect(226);
}

#[test]
fn an_upload_that_was_too_large_gets_the_space_of_interrupted_ones_at_its_next_try() {
    let pod = Pod::new();
    let Some(_disk) = Disk::tmpfs(&pod.alice(""), 32) else { return };
    let mut client = pod.login();
    for name in ["first", "second", "third"] {
        break_off(&mut client, name, &octets(5 * MIB));
    }
    try_to_store(&mut client, "whole", &octets(28 * MIB));
    client.expect(452);
    client.store("STOR whole", &octets(28 * MIB));
    assert_eq!(parts(&pod), 0);
}

#[test]
fn an_upload_that_does_not_reach_the_disk_is_neither_stored_nor_resumed() {
    let pod = Pod::new();
    let Some(disk) = Disk::thin(&pod.alice("")) else { return };
    let mut client = pod.login();
    let file = octets(MIB);
    client.store("STOR before", &file);
    client.store("STOR replaced", &file);
    disk.exhaust();
    for command in ["STOR new", "STOR replaced", "APPE before"] {
        let mut data = client.open(command);
        data.write_all(&octets(4 * MIB)).unwrap();
        data.finish();
        client.expect(552);
    }
    assert_eq!(parts(&pod), 0);
    client.ask("SIZE new", 550);
    disk.replenish();
    for name in ["before", "replaced"] {
        assert_eq!(client.fetch(&format!("RETR {name}")), file, "{name}");
    }
    client.store("STOR new", &file);
    assert_eq!(client.fetch("RETR new"), file);
}

#[test]
fn on_a_device_that_fails_an_upload_is_451_and_what_was_226_is_there_after_its_repair() {
    let pod = Pod::new();
    let Some(disk) = Disk::ext4(&pod.alice(""), 32) else { return };
    let file = octets(MIB);
    let mut client = pod.login();
    client.store("STOR before", &file);
    if disk.break_down().is_none() {
        return;
    }
    try_to_store(&mut client, "new", &file);
    client.expect(451);
    disk.repair();
    drop(client);
    let mut client = pod.login();
    assert_eq!(client.fetch("RETR before"), file);
    client.ask("SIZE new", 550);
    client.store("STOR new", &file);
    assert_eq!(client.fetch("RETR new"), file);
}

#[test]
fn an_upload_answered_by_226_survives_the_death_of_the_node() {
    let pod = Pod::new();
    let Some(disk) = Disk::ext4(&pod.alice(""), 32) else { return };
    let mut client = pod.login();
    client.store("STOR file", b"one ");
    assert_eq!(fs::read(disk.after_crash().path("file")).unwrap(), b"one ");
    client.store("APPE file", b"two");
    assert_eq!(fs::read(disk.after_crash().path("file")).unwrap(), b"one two");
    client.ask("REST 4", 350);
    client.store("STOR file", b"three");
    assert_eq!(fs::read(disk.after_crash().path("file")).unwrap(), b"one three");
    client.ask("MKD folder", 257);
    assert!(disk.after_crash().path("folder").is_dir());
    client.ask("RNFR file", 350);
    client.ask("RNTO folder/renamed", 250);
    let crashed = disk.after_crash();
    assert_eq!(fs::read(crashed.path("folder/renamed")).unwrap(), b"one three");
    assert!(!crashed.path("file").exists());
}

#[test]
fn a_new_home_is_on_the_disk_at_its_first_login() {
    let pod = Pod::new();
    let Some(disk) = Disk::ext4(&pod.alice(""), 32) else { return };
    let users = fs::read_to_string(pod.path("ftpd/users.json")).unwrap();
    let moved = users.replace(r#""home":"alice""#, r#""home":"alice/new/home""#);
    assert_ne!(moved, users);
    fs::write(pod.path("ftpd/users.json"), moved).unwrap();
    wait_until("the new home is in force", || {
        let mut client = pod.protected();
        client.ask("USER alice", 331);
        client.ask_any(&format!("PASS {}", safetp_pod::PASSWORD));
        pod.alice("new/home").exists()
    });
    assert!(disk.after_crash().path("new/home").is_dir());
}

#[test]
fn a_directory_on_another_device_takes_no_uploads_and_says_so_before_they_begin() {
    let pod = Pod::new();
    fs::create_dir(pod.alice("other")).unwrap();
    let Some(_disk) = Disk::tmpfs(&pod.alice("other"), 8) else { return };
    let mut client = pod.login();
    for command in ["STOR other/a", "APPE other/a"] {
        client.epsv();
        assert!(client.ask(command, 553).contains("another volume"));
    }
    assert_eq!(parts(&pod), 0);
    client.store("STOR a", b"x");
}
