//! `LIST -R`.

use std::{fs, os::unix::fs::symlink};

use crate::support::World;

fn world_with_tree() -> World {
    let world = World::new();
    fs::create_dir_all(world.alice("b/c")).unwrap();
    fs::create_dir_all(world.alice("a")).unwrap();
    for name in ["top", "a/1", "b/2", "b/c/3"] {
        fs::write(world.alice(name), "").unwrap();
    }
    symlink("..", world.alice("b/up")).unwrap();
    world
}

/// The names and headings of a long listing.
fn names(listing: &str) -> Vec<&str> {
    listing.split_terminator("\r\n").map(|line| line.rsplit(' ').next().unwrap_or_default()).collect()
}

#[test]
fn list_with_r_goes_down_as_ls_does_and_follows_no_links() {
    let world = world_with_tree();
    let mut alice = world.login("alice");
    let expected = [".:", "a", "b", "top", "", "./a:", "1", "", "./b:", "2", "c", "up", "", "./b/c:", "3"];
    for command in ["LIST -R", "LIST -laR", "LIST -a -R"] {
        assert_eq!(names(&alice.fetch(command)), expected, "{command}");
    }
    assert_eq!(names(&alice.fetch("LIST -R b/")), ["b:", "2", "c", "up", "", "b/c:", "3"]);
    assert_eq!(names(&alice.fetch("LIST -R /b")), ["/b:", "2", "c", "up", "", "/b/c:", "3"]);
    assert_eq!(names(&alice.fetch("LIST -R /"))[5], "/a:");
    assert_eq!(names(&alice.fetch("LIST -R top")), ["top"]);
}

#[test]
fn nlst_with_r_names_what_can_be_fetched() {
    let world = world_with_tree();
    let mut alice = world.login("alice");
    assert_eq!(alice.fetch("NLST -R b"), "b/2\r\nb/c\r\nb/up\r\nb/c/3\r\n");
    let all = alice.fetch("NLST -R");
    assert_eq!(all, "a\r\nb\r\ntop\r\na/1\r\nb/2\r\nb/c\r\nb/up\r\nb/c/3\r\n");
    alice.fetch("RETR b/c/3");
}

#[test]
fn stat_with_r_goes_down_as_well() {
    let world = world_with_tree();
    let mut alice = world.login("alice");
    assert!(alice.ask("STAT -R", 213).contains("\r\n ./b/c:\r\n"));
    assert!(!alice.ask("STAT /", 213).contains("./b"));
}

#[test]
fn a_tree_that_is_too_deep_is_not_called_complete() {
    let (world, mut alice) = World::with_alice();
    fs::create_dir_all(world.alice(&"d/".repeat(31))).unwrap();
    assert!(alice.fetch("LIST -R").contains("d/d/d:"));
    fs::create_dir_all(world.alice(&"d/".repeat(32))).unwrap();
    std::io::read_to_string(alice.begin("LIST -R")).unwrap();
    assert!(alice.ask("XCOMPLETE", 451).contains("too large"));
}

#[test]
fn a_tree_with_too_many_directories_is_not_called_complete() {
    let (world, mut alice) = World::with_alice();
    for number in 0..=10_000 {
        fs::create_dir(world.alice(&number.to_string())).unwrap();
    }
    let stream = alice.begin("LIST -R");
    let read = std::io::read_to_string(stream).unwrap();
    assert!(read.starts_with(".:\r\n"));
    assert!(alice.ask("XCOMPLETE", 451).contains("too large"));
}

#[test]
fn a_tree_that_nobody_reads_to_its_end_ends_with_its_transfer() {
    let (world, mut alice) = World::with_alice();
    for number in 0..3000 {
        fs::create_dir_all(world.alice(&format!("a-long-name-that-fills-the-socket-soon-{number}/below"))).unwrap();
    }
    let stream = alice.begin("LIST -R");
    alice.ask("ABOR", 426);
    alice.expect(226);
    drop(stream);
    alice.ask("NOOP", 200);
}
