//! What is joined to a file that is there: APPE, and REST and STOR onto a whole file.

use std::{
    fs::{self, File},
    io::Write as _,
    os::unix::fs::MetadataExt as _,
};

use crate::support::{Gateway, World, position};

fn content(world: &World, name: &str) -> String {
    fs::read_to_string(world.alice(name)).unwrap()
}

/// Two sessions with an upload each, both under way.
struct Two {
    world: World,
    first: Gateway,
    second: Gateway,
}

impl Two {
    fn begin(first_command: &str, second_command: &str, before: Option<&str>) -> Self {
        let (world, mut first) = World::with_alice();
        if let Some(before) = before {
            fs::write(world.alice("log"), before).unwrap();
        }
        let mut second = world.login("alice");
        drop(first.begin_upload(first_command, "ONE "));
        drop(second.begin_upload(second_command, "TWO "));
        Self { world, first, second }
    }
}

#[test]
fn two_appends_at_once_are_both_in_the_file() {
    for before in [Some("base "), None] {
        let mut two = Two::begin("APPE log", "APPE log", before);
        two.second.ask("XCOMPLETE", 226);
        two.first.ask("XCOMPLETE", 226);
        assert_eq!(content(&two.world, "log"), format!("{}TWO ONE ", before.unwrap_or_default()));
        assert!(two.world.parts().is_empty());
    }
}

#[test]
fn an_append_goes_behind_what_an_upload_stored_meanwhile() {
    for before in [Some("base "), None] {
        let mut two = Two::begin("STOR log", "APPE log", before);
        two.first.ask("XCOMPLETE", 226);
        two.second.ask("XCOMPLETE", 226);
        assert_eq!(content(&two.world, "log"), "ONE TWO ");
    }
}

#[test]
fn an_upload_that_began_before_an_append_does_not_undo_it_and_keeps_its_part() {
    for before in [Some("base "), None] {
        let mut two = Two::begin("STOR log", "APPE log", before);
        two.second.ask("XCOMPLETE", 226);
        assert!(two.first.ask("XCOMPLETE", 553).contains("kept"));
        let appended = format!("{}TWO ", before.unwrap_or_default());
        assert_eq!(content(&two.world, "log"), appended);
        assert_eq!(two.world.parts().len(), 1);
        // SIZE tells the file's length: continued there, the part would be half of each.
        two.first.ask(&format!("REST {}", appended.len()), 350);
        two.first.ask("STOR log", 554);
        two.first.store("STOR log", "ONE ");
        assert_eq!(content(&two.world, "log"), "ONE ");
        assert!(two.world.parts().is_empty());
    }
}

#[test]
fn a_file_that_is_appended_to_stays_the_same_file() {
    let (world, mut alice) = World::with_alice();
    alice.store("STOR log", "one ");
    let inode = fs::metadata(world.alice("log")).unwrap().ino();
    fs::hard_link(world.alice("log"), world.alice("link")).unwrap();
    alice.store("APPE log", "two");
    assert_eq!(content(&world, "link"), "one two");
    assert_eq!(fs::metadata(world.alice("log")).unwrap().ino(), inode);
    std::os::unix::fs::symlink("log", world.alice("symbolic")).unwrap();
    alice.store("APPE symbolic", " three");
    assert_eq!(content(&world, "log"), "one two three");
}

#[test]
fn an_append_that_broke_off_leaves_nothing_that_could_be_continued() {
    let (world, mut alice) = World::with_alice();
    alice.store_broken("APPE log", "half");
    alice.ask("SIZE log", 550);
    alice.store("APPE log", "whole ");
    alice.store_broken("APPE log", "half");
    assert!(world.parts().is_empty());
    assert_eq!(content(&world, "log"), "whole ");
}

#[test]
fn appe_continues_a_part_whose_size_was_told_as_the_files() {
    let (world, mut alice) = World::with_alice();
    alice.store_broken("STOR a", "0123");
    assert!(alice.ask("SIZE a", 213).contains('4'));
    let mut file = alice.begin("APPE a");
    assert_eq!(position(&mut file), 4);
    file.write_all(b"45").unwrap();
    drop(file);
    alice.ask("XFAILED", 426);
    assert!(alice.ask("SIZE a", 213).contains('6'));
    alice.store("APPE a", "67");
    assert_eq!(content(&world, "a"), "01234567");
}

#[test]
fn a_directory_in_the_way_of_an_append_is_553_and_nothing_is_joined() {
    let (world, mut alice) = World::with_alice();
    drop(alice.begin_upload("APPE a", "content"));
    fs::create_dir(world.alice("a")).unwrap();
    alice.ask("XCOMPLETE", 553);
    assert!(fs::metadata(world.alice("a")).unwrap().is_dir());
}

/// Larger than anybody copies within the time that these tests have: a hole, which takes no space.
const HUGE: u64 = 1 << 42;

#[test]
fn appending_to_a_huge_file_copies_none_of_it() {
    let (world, mut alice) = World::with_alice();
    File::create(world.alice("huge")).unwrap().set_len(HUGE).unwrap();
    alice.store("APPE huge", "end");
    alice.ask(&format!("REST {}", HUGE + 3), 350);
    alice.store("STOR huge", "!");
    assert_eq!(fs::metadata(world.alice("huge")).unwrap().len(), HUGE + 4);
    alice.ask(&format!("REST {HUGE}"), 350);
    assert_eq!(alice.fetch("RETR huge"), "end!");
}

#[test]
fn a_restart_in_the_middle_of_a_huge_file_begins_at_once() {
    let (world, mut alice) = World::with_alice();
    File::create(world.alice("huge")).unwrap().set_len(HUGE).unwrap();
    alice.ask(&format!("REST {}", HUGE / 2), 350);
    drop(alice.begin("STOR huge"));
    alice.ask("XFAILED", 426);
    assert_eq!(fs::metadata(world.alice("huge")).unwrap().len(), HUGE);
}

#[test]
fn a_file_that_changed_while_it_was_continued_is_553_and_stays() {
    let (world, mut alice) = World::with_alice();
    let mut other = world.login("alice");
    for change in ["STOR a", "APPE a"] {
        alice.store("STOR a", "0123");
        alice.ask("REST 4", 350);
        drop(alice.begin_upload("STOR a", "45"));
        other.store(change, "new");
        let changed = content(&world, "a");
        alice.ask("XCOMPLETE", 553);
        assert_eq!(content(&world, "a"), changed);
    }
}

#[test]
fn a_broken_restart_on_a_whole_file_is_continued_where_it_ended() {
    let (world, mut alice) = World::with_alice();
    alice.store("STOR a", "0123");
    alice.ask("REST 4", 350);
    alice.store_broken("STOR a", "45");
    alice.ask("REST 7", 350);
    alice.ask("STOR a", 554);
    alice.ask("REST 6", 350);
    alice.store("STOR a", "67");
    assert_eq!(content(&world, "a"), "01234567");
    assert!(world.parts().is_empty());
}

#[test]
fn a_broken_restart_is_worthless_once_its_file_is_replaced() {
    let (world, mut alice) = World::with_alice();
    alice.store("STOR a", "0123");
    alice.ask("REST 2", 350);
    alice.store_broken("STOR a", "xyz");
    fs::write(world.alice("b"), "9876").unwrap();
    let time = fs::metadata(world.alice("a")).unwrap().modified().unwrap();
    File::open(world.alice("b")).unwrap().set_modified(time).unwrap();
    fs::rename(world.alice("b"), world.alice("a")).unwrap();
    alice.ask("REST 5", 350);
    alice.ask("STOR a", 554);
    alice.ask("REST 3", 350);
    alice.store("STOR a", "!");
    assert_eq!(content(&world, "a"), "987!");
}
