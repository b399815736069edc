//! ls, get, put, rm, mv, mkdir.

use std::fs;

use crate::support::{Stage, octets};

#[test]
fn a_file_that_was_put_comes_back_with_get() {
    let stage = Stage::new();
    let content = octets(3_000_000);
    fs::write(stage.here("file"), &content).unwrap();
    stage.safetp(&["put", "file", &stage.url("stored")]).run().is_done();
    assert_eq!(fs::read(stage.there("stored")).unwrap(), content);
    stage.safetp(&["get", &stage.url("stored"), "back"]).run().is_done();
    assert_eq!(fs::read(stage.here("back")).unwrap(), content);
    assert!(!stage.here("back.part").exists());
}

#[test]
fn an_empty_file_is_a_file() {
    let stage = Stage::new();
    fs::write(stage.here("empty"), b"").unwrap();
    stage.safetp(&["put", "empty", &stage.url("")]).run().is_done();
    stage.safetp(&["get", &stage.url("empty"), "back"]).run().is_done();
    assert_eq!(fs::read(stage.here("back")).unwrap(), b"");
}

#[test]
fn a_file_goes_into_a_directory_under_its_own_name() {
    let stage = Stage::new();
    fs::write(stage.here("a b#?.txt"), b"there").unwrap();
    fs::create_dir(stage.here("folder")).unwrap();
    stage.safetp(&["mkdir", &stage.url("incoming")]).run().is_done();
    stage.safetp(&["put", "a b#?.txt", &stage.url("incoming/")]).run().is_done();
    assert_eq!(fs::read(stage.there("incoming/a b#?.txt")).unwrap(), b"there");
    stage.safetp(&["get", &stage.url("incoming/a%20b#?.txt"), "folder"]).run().is_done();
    assert_eq!(fs::read(stage.here("folder/a b#?.txt")).unwrap(), b"there");
}

#[test]
fn the_standard_streams_are_files_too() {
    let stage = Stage::new();
    stage.safetp(&["put", "-", &stage.url("piped")]).input(b"through a pipe").run().is_done();
    let outcome = stage.safetp(&["get", &stage.url("piped"), "-"]).run();
    assert_eq!(outcome.is_done().out, b"through a pipe");
}

#[test]
fn a_path_after_two_slashes_starts_at_the_root() {
    let stage = Stage::new();
    fs::create_dir(stage.there("d")).unwrap();
    fs::write(stage.there("d/file"), b"x").unwrap();
    let outcome = stage.safetp(&["ls", &format!("safetp://alice@{}//d", stage.address())]).run();
    assert_eq!(outcome.is_done().text(), "file\n");
}

#[test]
fn ls_lists_names_and_with_l_kind_size_and_time() {
    let stage = Stage::new();
    fs::create_dir(stage.there("folder")).unwrap();
    fs::write(stage.there("file"), b"12345").unwrap();
    assert_eq!(stage.safetp(&["ls", &stage.url("")]).run().is_done().text(), "file\nfolder/\n");
    let long = stage.safetp(&["ls", "-l", &stage.url("")]).run().is_done().text();
    let words: Vec<_> = long.lines().next().unwrap().split_whitespace().collect();
    assert!(matches!(words[..], ["-", "5", time, "file"] if time.ends_with('Z')), "{long}");
    assert!(long.lines().nth(1).unwrap().starts_with("d "), "{long}");
}

#[test]
fn ls_of_a_file_tells_that_file() {
    let stage = Stage::new();
    fs::write(stage.there("file"), b"12345").unwrap();
    assert!(stage.safetp(&["ls", &stage.url("file")]).run().is_done().text().contains("file"));
    stage.safetp(&["ls", &stage.url("nothing")]).run().is_failure(1, &["MLSD nothing", "550"]);
}

#[test]
fn files_and_directories_are_moved_and_removed() {
    let stage = Stage::new();
    fs::create_dir(stage.there("folder")).unwrap();
    fs::write(stage.there("file"), b"x").unwrap();
    stage.safetp(&["mv", &stage.url("file"), "folder/renamed"]).run().is_done();
    stage.safetp(&["mv", &stage.url("folder/renamed"), &stage.url("again")]).run().is_done();
    assert!(stage.there("again").exists());
    stage.safetp(&["rm", &stage.url("again")]).run().is_done();
    stage.safetp(&["rm", &stage.url("folder/")]).run().is_done();
    assert_eq!(fs::read_dir(stage.there("")).unwrap().count(), 0);
}

#[test]
fn the_dialogue_is_shown_with_v_and_without_the_password() {
    let stage = Stage::new();
    let outcome = stage.safetp(&["ls", "-v", &stage.url("")]).run();
    let dialogue = &outcome.is_done().err;
    for line in ["> AUTH TLS", "< 234 ", "> USER alice", "> PASS ****", "> PROT P", "> MLSD"] {
        assert!(dialogue.contains(line), "{line} is missing:\n{dialogue}");
    }
    assert!(!dialogue.contains(safetp_pod::PASSWORD));
}
