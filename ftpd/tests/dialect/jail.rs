//! No path, absolute, with dots or through a link, leaves the home directory.

use std::{fs, os::unix::fs::symlink};

use crate::support::World;

/// A world in which bob has a secret, and alice's home holds links that lead everywhere.
fn world_of_links() -> World {
    let world = World::new();
    fs::create_dir_all(world.data().join("bob")).unwrap();
    fs::create_dir_all(world.alice("dir")).unwrap();
    fs::write(world.data().join("bob/secret"), "bob's").unwrap();
    fs::write(world.alice("dir/own"), "alice's").unwrap();
    symlink("/etc", world.alice("etc")).unwrap();
    symlink("/etc/passwd", world.alice("passwd")).unwrap();
    symlink("../bob", world.alice("sibling")).unwrap();
    symlink("../bob/secret", world.alice("secret")).unwrap();
    symlink(world.alice("dir/own"), world.alice("absolute")).unwrap();
    symlink("dir/own", world.alice("inside")).unwrap();
    symlink("nowhere", world.alice("dangling")).unwrap();
    world
}

#[test]
fn dots_lead_nowhere_but_to_the_root() {
    let world = world_of_links();
    let mut alice = world.login("alice");
    for path in ["../bob/secret", "/../bob/secret", "dir/../../bob/secret", "../../../../etc/passwd"] {
        alice.ask(&format!("RETR {path}"), 550);
        alice.ask(&format!("STOR {path}"), 553);
        alice.ask(&format!("MLST {path}"), 550);
    }
    alice.ask("CWD ..", 250);
    assert!(alice.ask("PWD", 257).contains("\"/\""));
    alice.ask("CDUP", 250);
    alice.ask("CWD ../bob", 550);
}

#[test]
fn absolute_names_begin_at_the_home() {
    let world = world_of_links();
    let mut alice = world.login("alice");
    alice.ask("RETR /etc/passwd", 550);
    let path = world.data().join("bob/secret");
    alice.ask(&format!("RETR {}", path.display()), 550);
    assert_eq!(alice.fetch("RETR /dir/own"), "alice's");
}

#[test]
fn links_that_lead_out_lead_nowhere() {
    let world = world_of_links();
    let mut alice = world.login("alice");
    for path in ["etc/passwd", "passwd", "sibling/secret", "secret", "absolute"] {
        alice.ask(&format!("RETR {path}"), 550);
        alice.ask(&format!("SIZE {path}"), 550);
        alice.ask(&format!("MDTM {path}"), 550);
    }
    for path in ["etc", "sibling"] {
        alice.ask(&format!("CWD {path}"), 550);
        alice.ask(&format!("MLSD {path}"), 550);
        alice.ask(&format!("LIST {path}/"), 550);
        alice.ask(&format!("STOR {path}/new"), 553);
        alice.ask(&format!("MKD {path}/new"), 550);
        alice.ask(&format!("DELE {path}/secret"), 550);
    }
    alice.ask("RNFR dir/own", 350);
    alice.ask("RNTO sibling/own", 553);
    alice.assert_no_descriptor();
    assert_eq!(fs::read_dir(world.data().join("bob")).unwrap().count(), 1);
}

#[test]
fn a_link_inside_the_home_is_followed_and_removed_itself() {
    let world = world_of_links();
    let mut alice = world.login("alice");
    assert_eq!(alice.fetch("RETR inside"), "alice's");
    alice.ask("DELE inside", 250);
    assert!(world.alice("dir/own").exists());
}

#[test]
fn a_link_that_leads_nowhere_is_listed_as_such_and_can_be_removed() {
    let world = world_of_links();
    let mut alice = world.login("alice");
    let lines = alice.fetch("MLSD");
    for name in ["dangling", "etc", "secret"] {
        let line = lines.lines().find(|line| line.ends_with(&format!(" {name}"))).unwrap();
        assert!(line.starts_with("type=OS.unix=symlink;modify="), "{line}");
        alice.ask(&format!("DELE {name}"), 250);
    }
    assert!(world.data().join("bob/secret").exists());
}

#[test]
fn an_upload_over_a_link_that_leads_out_never_writes_through_it() {
    let world = world_of_links();
    let mut alice = world.login("alice");
    alice.ask("STOR secret", 553);
    alice.ask("APPE secret", 553);
    assert_eq!(fs::read_to_string(world.data().join("bob/secret")).unwrap(), "bob's");
}

#[test]
fn a_home_written_with_dots_stays_on_the_volume() {
    let world = World::new();
    let mut users = crate::support::users();
    users.users.get_mut("alice").unwrap().home = "../../outside".into();
    world.configure(&users);
    world.connect().ask("XDIGEST", 200);
    drop(world.login("alice"));
    assert!(world.data().join("outside").is_dir());
}

#[test]
fn a_name_that_could_break_a_line_is_no_name() {
    let (_world, mut alice) = World::with_alice();
    alice.send(b"STOR a\0b\r\n");
    alice.expect(501);
    alice.send(b"STOR a\rb\r\n");
    alice.expect(501);
    alice.ask("RETR", 501);
}

#[test]
fn the_root_cannot_be_removed_renamed_or_overwritten() {
    let (_world, mut alice) = World::with_alice();
    alice.ask("RMD /", 550);
    alice.ask("DELE /", 550);
    alice.ask("RNFR /", 550);
    alice.ask("STOR /", 553);
    alice.store("STOR a", "a");
    alice.ask("RNFR a", 350);
    alice.ask("RNTO ..", 550);
}

#[test]
fn unfinished_uploads_cannot_be_named() {
    let (world, mut alice) = World::with_alice();
    alice.store_broken("STOR a", "half");
    let part = world.parts().pop().unwrap();
    let part = part.file_name().unwrap().to_str().unwrap();
    for listing in ["LIST", "LIST -la", "NLST", "MLSD"] {
        assert_eq!(alice.fetch(listing), "", "{listing}");
    }
    assert!(!alice.ask("STAT .", 213).contains("parts"));
    alice.ask("CWD .safetp-parts", 550);
    alice.ask("MLSD .safetp-parts", 550);
    alice.ask("MKD .safetp-parts", 550);
    alice.ask(&format!("RETR .safetp-parts/{part}"), 550);
    alice.ask(&format!("DELE /.safetp-parts/{part}"), 550);
    alice.ask("RETR a", 550);
}
