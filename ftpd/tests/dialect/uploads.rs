//! STOR, APPE and REST: a file gets its name only when it is complete.

use std::{
    fs::{self, File},
    io::{Read as _, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    time::{Duration, SystemTime},
};

use crate::support::{KEEP_PARTS_HOURS, World, eventually, mode, position};

fn content(world: &World, name: &str) -> String {
    fs::read_to_string(world.alice(name)).unwrap()
}

#[test]
fn a_file_has_its_name_only_when_it_is_whole() {
    let (world, mut alice) = World::with_alice();
    alice.store("STOR a", "old");
    let mut file = alice.begin_upload("STOR a", "new");
    assert_eq!(content(&world, "a"), "old");
    file.write_all(b"er").unwrap();
    alice.ask("XCOMPLETE", 226);
    assert_eq!(content(&world, "a"), "newer");
    assert!(world.parts().is_empty());
}

#[test]
fn an_upload_that_broke_off_harms_nothing_and_is_continued() {
    let (world, mut alice) = World::with_alice();
    alice.store_broken("STOR a", "0123456");
    assert!(!world.alice("a").exists());
    assert!(alice.ask("SIZE a", 213).contains("213 7"));
    alice.ask("REST 5", 350);
    let mut file = alice.begin("STOR a");
    assert_eq!(position(&mut file), 5);
    file.write_all(b"five").unwrap();
    alice.ask("XCOMPLETE", 226);
    assert_eq!(content(&world, "a"), "01234five");
    assert!(world.parts().is_empty());
}

#[test]
fn a_lost_connection_keeps_the_old_file_and_the_part() {
    let (world, mut alice) = World::with_alice();
    alice.store("STOR a", "old");
    let file = alice.begin_upload("STOR a", "half of the new");
    drop(alice);
    let mut alice = world.login("alice");
    // The gateway's duplicate of the descriptor is still open: it must not keep the part locked.
    eventually("the part is free", || {
        alice.send(b"REST 4\r\nSTOR a\r\n");
        alice.expect(350);
        alice.reply().unwrap().code().number() == 150
    });
    drop(alice.descriptor());
    alice.ask("XFAILED", 426);
    drop(file);
    assert_eq!(content(&world, "a"), "old");
}

#[test]
fn a_restart_beyond_what_is_there_is_refused() {
    let (_world, mut alice) = World::with_alice();
    alice.ask("REST 1", 350);
    alice.ask("STOR none", 554);
    alice.store_broken("STOR part", "123");
    alice.ask("REST 4", 350);
    alice.ask("STOR part", 554);
    alice.store("STOR whole", "123");
    alice.ask("REST 4", 350);
    alice.ask("STOR whole", 554);
    alice.assert_no_descriptor();
}

#[test]
fn a_restart_on_a_whole_file_leaves_it_as_it_is_until_all_has_come() {
    let (world, mut alice) = World::with_alice();
    alice.store("STOR a", "0123456789");
    alice.ask("REST 4", 350);
    drop(alice.begin_upload("STOR a", "x"));
    alice.ask("XFAILED", 426);
    assert_eq!(content(&world, "a"), "0123456789");
    alice.ask("REST 5", 350);
    alice.store("STOR a", "y");
    assert_eq!(content(&world, "a"), "0123xy");
}

#[test]
fn a_part_newer_than_the_whole_file_is_what_a_restart_means() {
    let (world, mut alice) = World::with_alice();
    alice.store("STOR a", "the old version");
    alice.store_broken("STOR a", "new");
    // The size of the old version would join its beginning to the end of the new one.
    alice.ask("REST 15", 350);
    alice.ask("STOR a", 554);
    alice.ask("REST 3", 350);
    alice.store("STOR a", "er");
    assert_eq!(content(&world, "a"), "newer");
}

#[test]
fn a_restart_holds_for_one_transfer() {
    let (world, mut alice) = World::with_alice();
    alice.store("STOR a", "0123");
    alice.ask("REST 2", 350);
    assert_eq!(alice.fetch("RETR a"), "23");
    assert_eq!(alice.fetch("RETR a"), "0123");
    alice.ask("REST 2", 350);
    alice.ask("RETR none", 550);
    alice.store("STOR a", "new");
    assert_eq!(content(&world, "a"), "new");
}

#[test]
fn two_uploads_of_one_name_do_not_touch_each_other() {
    let (world, mut first) = World::with_alice();
    let mut second = world.login("alice");
    let mut early = first.begin_upload("STOR a", "fir");
    let mut late = second.begin_upload("STOR a", "sec");
    assert_eq!(world.parts().len(), 2);
    early.write_all(b"st").unwrap();
    late.write_all(b"ond").unwrap();
    second.ask("XCOMPLETE", 226);
    assert_eq!(content(&world, "a"), "second");
    first.ask("XCOMPLETE", 226);
    assert_eq!(content(&world, "a"), "first");
    assert!(world.parts().is_empty());
}

#[test]
fn a_part_that_is_being_written_cannot_be_continued_by_another() {
    let (world, mut first) = World::with_alice();
    let mut second = world.login("alice");
    let file = first.begin_upload("STOR a", "0123");
    second.ask("REST 2", 350);
    second.ask("STOR a", 450);
    drop(file);
    first.ask("XFAILED", 426);
    second.ask("REST 2", 350);
    second.store("STOR a", "x");
    assert_eq!(content(&world, "a"), "01x");
}

/// As another pod could bring about whose locks do not reach here.
#[test]
fn a_part_whose_name_leads_to_another_file_by_now_is_not_stored() {
    let (world, mut alice) = World::with_alice();
    for taken in [true, false] {
        alice.store("STOR a", "old");
        drop(alice.begin_upload("STOR a", "mine"));
        let part = world.parts().remove(0);
        fs::rename(&part, world.alice("moved")).unwrap();
        if taken {
            fs::write(&part, "theirs").unwrap();
        }
        alice.ask("XCOMPLETE", 451);
        assert_eq!(content(&world, "a"), "old");
        if taken {
            assert_eq!(fs::read_to_string(&part).unwrap(), "theirs");
            fs::remove_file(&part).unwrap();
        }
    }
}

#[test]
fn two_parts_never_have_the_same_name() {
    let (world, mut alice) = World::with_alice();
    let mut names: Vec<_> = (0..10)
        .map(|_| {
            drop(alice.begin_upload("STOR a", "x"));
            let name = world.parts().remove(0);
            alice.ask("XCOMPLETE", 226);
            name
        })
        .collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 10);
}

#[test]
fn a_fresh_upload_after_a_broken_one_begins_anew() {
    let (world, mut alice) = World::with_alice();
    alice.store_broken("STOR a", "a long part");
    alice.store("STOR a", "short");
    assert_eq!(content(&world, "a"), "short");
    assert!(world.parts().is_empty());
}

#[test]
fn a_late_write_of_a_broken_upload_does_not_reach_the_next_one() {
    let (world, mut alice) = World::with_alice();
    let mut stale = alice.begin_upload("STOR a", "x");
    alice.ask("XFAILED", 426);
    let file = alice.begin_upload("STOR a", "fresh");
    stale.write_all(b"stale stale stale").unwrap();
    drop(file);
    alice.ask("XCOMPLETE", 226);
    assert_eq!(content(&world, "a"), "fresh");
}

#[test]
fn appe_changes_the_file_only_when_all_has_come() {
    let (world, mut alice) = World::with_alice();
    alice.store("APPE log", "one ");
    let mut file = alice.begin("APPE log");
    assert_eq!(position(&mut file), 0, "the file is not copied before anything comes");
    file.write_all(b"two").unwrap();
    assert_eq!(content(&world, "log"), "one ");
    alice.ask("XFAILED", 426);
    assert_eq!(content(&world, "log"), "one ");
    alice.store("APPE log", "three");
    assert_eq!(content(&world, "log"), "one three");
}

#[test]
fn an_upload_of_nothing_that_broke_off_leaves_nothing() {
    let (world, mut alice) = World::with_alice();
    alice.store_broken("STOR a", "");
    assert!(world.parts().is_empty());
    alice.ask("SIZE a", 550);
    alice.store("STOR empty", "");
    assert_eq!(content(&world, "empty"), "");
}

#[test]
fn what_cannot_be_stored_is_refused_before_the_150() {
    let (world, mut alice) = World::with_alice();
    fs::create_dir(world.alice("dir")).unwrap();
    alice.ask("STOR dir", 553);
    alice.ask("APPE dir", 553);
    alice.ask("STOR none/a", 553);
    alice.ask(&format!("STOR {}", "x".repeat(300)), 553);
    alice.assert_no_descriptor();
    assert!(world.parts().is_empty());
}

#[test]
fn a_directory_that_takes_the_name_meanwhile_makes_the_upload_fail_and_keeps_the_part() {
    let (world, mut alice) = World::with_alice();
    drop(alice.begin_upload("STOR a", "content"));
    fs::create_dir(world.alice("a")).unwrap();
    alice.ask("XCOMPLETE", 553);
    assert_eq!(world.parts().len(), 1);
}

#[test]
fn an_upload_ends_where_its_directory_is_by_then() {
    let (world, mut alice) = World::with_alice();
    alice.ask("MKD dir", 257);
    drop(alice.begin_upload("STOR dir/a", "content"));
    fs::rename(world.alice("dir"), world.alice("moved")).unwrap();
    alice.ask("XCOMPLETE", 226);
    assert_eq!(content(&world, "moved/a"), "content");
}

#[test]
fn parts_that_nobody_continued_in_time_go_at_the_next_login() {
    let (world, mut alice) = World::with_alice();
    alice.store_broken("STOR old", "old");
    alice.store_broken("STOR recent", "recent");
    for part in world.parts() {
        let mut text = String::new();
        File::open(&part).unwrap().read_to_string(&mut text).unwrap();
        if text == "old" {
            age(&part);
        }
    }
    drop(world.login("alice"));
    assert_eq!(world.parts().len(), 1);
    assert!(alice.ask("SIZE recent", 213).contains('6'));
}

#[test]
fn parts_that_nobody_continued_in_time_go_though_nobody_logs_in() {
    let (world, mut alice) = World::with_alice();
    world.start_another(Duration::from_millis(10));
    // Longer than the server takes to start, which looks once: the clock alone can find what ages from here on.
    alice.store_broken("STOR first", "first");
    age(&world.parts()[0]);
    eventually("the first part is gone", || world.parts().is_empty());
    alice.store_broken("STOR second", "second");
    age(&world.parts()[0]);
    eventually("the second part is gone", || world.parts().is_empty());
}

fn age(part: &Path) {
    let age = Duration::from_hours(u64::from(KEEP_PARTS_HOURS) + 1);
    File::open(part).unwrap().set_modified(SystemTime::now() - age).unwrap();
}

#[test]
fn abor_breaks_an_upload_off_and_is_answered_itself() {
    let (world, mut alice) = World::with_alice();
    drop(alice.begin_upload("STOR a", "half"));
    alice.ask("NOOP", 200);
    alice.ask("STAT", 211);
    alice.ask("LIST", 503);
    alice.ask("ABOR", 426);
    alice.expect(226);
    assert!(!world.alice("a").exists());
    alice.ask("XCOMPLETE", 503);
}

#[test]
fn a_file_that_is_replaced_keeps_its_permissions() {
    let (world, mut alice) = World::with_alice();
    alice.store("STOR a", "old");
    fs::set_permissions(world.alice("a"), fs::Permissions::from_mode(0o664)).unwrap();
    alice.store("STOR a", "new");
    alice.store("APPE a", "er");
    assert_eq!((content(&world, "a").as_str(), mode(&world.alice("a"))), ("newer", 0o664));
}
