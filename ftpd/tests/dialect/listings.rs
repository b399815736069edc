//! LIST, NLST, MLSD and MLST.

use std::{collections::BTreeSet, fs, io::Read as _};

use crate::support::World;

fn world_with_files() -> World {
    let world = World::new();
    fs::create_dir_all(world.alice("dir")).unwrap();
    fs::write(world.alice("b.txt"), "12345").unwrap();
    fs::write(world.alice("a b.c"), "").unwrap();
    fs::write(world.alice("dir/inner"), "x").unwrap();
    world
}

#[test]
fn list_looks_like_ls() {
    let world = world_with_files();
    let mut alice = world.login("alice");
    let text = alice.fetch("LIST");
    let lines: Vec<&str> = text.split_terminator("\r\n").collect();
    assert_eq!(lines.len(), 3);
    assert!(lines[0].starts_with('-') && lines[0].ends_with(" a b.c"));
    let fields: Vec<&str> = lines[1].split_whitespace().collect();
    assert_eq!((fields.len(), fields[2], fields[3], fields[4], fields[8]), (9, "ftp", "ftp", "5", "b.txt"));
    assert!(lines[2].starts_with("drwx") && lines[2].ends_with(" dir"));
}

#[test]
fn options_of_ls_and_a_path_are_understood() {
    let world = world_with_files();
    let mut alice = world.login("alice");
    let all = alice.fetch("LIST");
    for command in ["LIST -la", "LIST -a -l", "LIST .", "LIST /", "LIST -l ."] {
        assert_eq!(alice.fetch(command), all, "{command}");
    }
    assert!(alice.fetch("LIST dir").ends_with(" inner\r\n"));
    let single = alice.fetch("LIST b.txt");
    assert!(single.ends_with(" b.txt\r\n") && single.lines().count() == 1);
    alice.ask("LIST none", 550);
    alice.assert_no_descriptor();
}

#[test]
fn nlst_names_lead_from_where_the_client_stands() {
    let world = world_with_files();
    let mut alice = world.login("alice");
    assert_eq!(alice.fetch("NLST"), "a b.c\r\nb.txt\r\ndir\r\n");
    assert_eq!(alice.fetch("NLST dir"), "dir/inner\r\n");
    assert_eq!(alice.fetch("NLST *.txt"), "b.txt\r\n");
    assert_eq!(alice.fetch("NLST dir/inn??"), "dir/inner\r\n");
    assert_eq!(alice.fetch("NLST b.txt"), "b.txt\r\n");
    alice.ask("CWD dir", 250);
    assert_eq!(alice.fetch("NLST"), "inner\r\n");
    alice.ask("NLST none", 550);
}

#[test]
fn mlsd_tells_facts() {
    let world = world_with_files();
    let mut alice = world.login("alice");
    alice.ask("MFMT 20200102030405 b.txt", 213);
    let text = alice.fetch("MLSD");
    let line = text.split("\r\n").find(|line| line.ends_with(" b.txt")).unwrap();
    assert!(line.starts_with("type=file;size=5;modify=20200102030405;perm=adfrw;unique="), "{line}");
    assert!(line.contains("UNIX.mode=0"), "{line}");
    let line = text.split("\r\n").find(|line| line.ends_with(" dir")).unwrap();
    assert!(line.starts_with("type=dir;modify=") && line.contains("perm=cdeflmp;"), "{line}");
    alice.ask("MLSD b.txt", 550);
    alice.ask("MLSD none", 550);
}

#[test]
fn mlst_tells_the_facts_of_one_on_the_control_connection() {
    let world = world_with_files();
    let mut alice = world.login("alice");
    alice.ask("OPTS MLST size;type;", 200);
    let text = alice.ask("MLST dir/../b.txt", 250);
    assert_eq!(text, "250-Facts:\r\n type=file;size=5; /b.txt\r\n250 End.\r\n");
    assert!(alice.ask("MLST", 250).contains(" type=dir; /\r\n"));
    assert!(alice.ask("FEAT", 211).contains("\r\n MLST type*;size*;modify;"));
    alice.ask("MLST none", 550);
}

#[test]
fn stat_of_a_path_is_a_listing_on_the_control_connection() {
    let world = world_with_files();
    let mut alice = world.login("alice");
    let text = alice.ask("STAT -l dir", 213);
    assert!(text.contains(" inner\r\n213 End."), "{text}");
    assert!(alice.ask("STAT", 211).contains("alice"));
    alice.ask("STAT none", 550);
}

#[test]
fn an_empty_directory_is_an_empty_listing() {
    let (_world, mut alice) = World::with_alice();
    for command in ["LIST", "NLST", "MLSD", "LIST *.c"] {
        assert_eq!(alice.fetch(command), "", "{command}");
    }
}

#[test]
fn a_large_directory_is_listed_whole() {
    let (world, mut alice) = World::with_alice();
    let names: BTreeSet<String> = (0..5000).map(|number| format!("file-{number:05}")).collect();
    for name in &names {
        fs::write(world.alice(name), "").unwrap();
    }
    let text = alice.fetch("NLST");
    assert_eq!(text.split_terminator("\r\n").map(str::to_owned).collect::<BTreeSet<_>>(), names);
    assert_eq!(text.split_terminator("\r\n").count(), names.len());
    assert_eq!(alice.fetch("MLSD").split_terminator("\r\n").count(), names.len());
}

#[test]
fn a_listing_that_nobody_reads_to_its_end_harms_nothing() {
    let (world, mut alice) = World::with_alice();
    for number in 0..5000 {
        fs::write(world.alice(&format!("a-rather-long-name-to-fill-the-buffer-{number}")), "").unwrap();
    }
    let mut stream = alice.begin("LIST");
    stream.read_exact(&mut [0; 10]).unwrap();
    drop(stream);
    alice.ask("XFAILED", 426);
    let held = alice.begin("LIST");
    alice.ask("XFAILED", 426);
    drop(held);
    alice.ask("NOOP", 200);
}

#[test]
fn a_pattern_of_many_stars_costs_what_one_star_costs() {
    let (world, mut alice) = World::with_alice();
    for number in 0..8 {
        fs::write(world.alice(&format!("{}{number}", "a".repeat(200))), "").unwrap();
    }
    assert_eq!(alice.fetch(&format!("NLST {}X", "*".repeat(4000))), "");
    assert_eq!(alice.fetch(&format!("NLST {}7", "*a".repeat(120))).lines().count(), 1);
}

#[test]
fn a_pattern_longer_than_a_name_is_refused() {
    let (_world, mut alice) = World::with_alice();
    for command in ["NLST", "LIST", "STAT"] {
        assert!(alice.ask(&format!("{command} {}", "?".repeat(256)), 501).contains("255"), "{command}");
    }
    alice.assert_no_descriptor();
}

#[test]
fn a_pattern_is_looked_for_in_all_of_a_large_directory() {
    let (world, mut alice) = World::with_alice();
    for number in 0..5000 {
        fs::write(world.alice(&format!("file-{number:05}")), "").unwrap();
    }
    assert_eq!(alice.fetch("NLST *-0042?").lines().count(), 10);
    assert_eq!(alice.fetch("NLST *.txt"), "");
    assert_eq!(alice.ask("STAT *-00421", 213).lines().count(), 3);
}

#[test]
fn abor_ends_a_listing_that_finds_nothing() {
    let (world, mut alice) = World::with_alice();
    for number in 0..5000 {
        fs::write(world.alice(&format!("file-{number}")), "").unwrap();
    }
    let held = alice.begin("LIST *.txt");
    alice.ask("ABOR", 426);
    alice.expect(226);
    drop(held);
    alice.ask("NOOP", 200);
}
