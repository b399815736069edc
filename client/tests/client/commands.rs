//! ls, get, put, rm, mv, mkdir.

use std::fs;

use crate::support::{Pod, octets};

#[test]
fn a_file_that_was_put_comes_back_with_get() {
    let pod = Pod::new();
    let content = octets(3_000_000);
    fs::write(pod.here("file"), &content).unwrap();
    pod.safetp(&["put", "file", &pod.url("stored")]).run().is_done();
    assert_eq!(fs::read(pod.there("stored")).unwrap(), content);
    pod.safetp(&["get", &pod.url("stored"), "back"]).run().is_done();
    assert_eq!(fs::read(pod.here("back")).unwrap(), content);
    assert!(!pod.here("back.part").exists());
}

#[test]
fn an_empty_file_is_a_file() {
    let pod = Pod::new();
    fs::write(pod.here("empty"), b"").unwrap();
    pod.safetp(&["put", "empty", &pod.url("")]).run().is_done();
    pod.safetp(&["get", &pod.url("empty"), "back"]).run().is_done();
    assert_eq!(fs::read(pod.here("back")).unwrap(), b"");
}

#[test]
fn a_file_goes_into_a_directory_under_its_own_name() {
    let pod = Pod::new();
    fs::write(pod.here("a b#?.txt"), b"there").unwrap();
    fs::create_dir(pod.here("folder")).unwrap();
    pod.safetp(&["mkdir", &pod.url("incoming")]).run().is_done();
    pod.safetp(&["put", "a b#?.txt", &pod.url("incoming/")]).run().is_done();
    assert_eq!(fs::read(pod.there("incoming/a b#?.txt")).unwrap(), b"there");
    pod.safetp(&["get", &pod.url("incoming/a%20b#?.txt"), "folder"]).run().is_done();
    assert_eq!(fs::read(pod.here("folder/a b#?.txt")).unwrap(), b"there");
}

#[test]
fn the_standard_streams_are_files_too() {
    let pod = Pod::new();
    pod.safetp(&["put", "-", &pod.url("piped")]).input(b"through a pipe").run().is_done();
    let outcome = pod.safetp(&["get", &pod.url("piped"), "-"]).run();
    assert_eq!(outcome.is_done().out, b"through a pipe");
}

#[test]
fn a_path_behind_two_slashes_begins_at_the_root() {
    let pod = Pod::new();
    fs::create_dir(pod.there("d")).unwrap();
    fs::write(pod.there("d/file"), b"x").unwrap();
    let outcome = pod.safetp(&["ls", &format!("safetp://alice@{}//d", pod.address())]).run();
    assert_eq!(outcome.is_done().text(), "file\n");
}

#[test]
fn ls_tells_names_and_on_demand_kind_size_and_time() {
    let pod = Pod::new();
    fs::create_dir(pod.there("folder")).unwrap();
    fs::write(pod.there("file"), b"12345").unwrap();
    assert_eq!(pod.safetp(&["ls", &pod.url("")]).run().is_done().text(), "file\nfolder/\n");
    let long = pod.safetp(&["ls", "-l", &pod.url("")]).run().is_done().text();
    let words: Vec<_> = long.lines().next().unwrap().split_whitespace().collect();
    assert!(matches!(words[..], ["-", "5", time, "file"] if time.ends_with('Z')), "{long}");
    assert!(long.lines().nth(1).unwrap().starts_with("d "), "{long}");
}

#[test]
fn ls_of_a_file_tells_that_file() {
    let pod = Pod::new();
    fs::write(pod.there("file"), b"12345").unwrap();
    assert!(pod.safetp(&["ls", &pod.url("file")]).run().is_done().text().contains("file"));
    pod.safetp(&["ls", &pod.url("nothing")]).run().is_failure(1, &["MLSD nothing", "550"]);
}

#[test]
fn files_and_directories_are_moved_and_removed() {
    let pod = Pod::new();
    fs::create_dir(pod.there("folder")).unwrap();
    fs::write(pod.there("file"), b"x").unwrap();
    pod.safetp(&["mv", &pod.url("file"), "folder/renamed"]).run().is_done();
    pod.safetp(&["mv", &pod.url("folder/renamed"), &pod.url("again")]).run().is_done();
    assert!(pod.there("again").exists());
    pod.safetp(&["rm", &pod.url("again")]).run().is_done();
    pod.safetp(&["rm", &pod.url("folder/")]).run().is_done();
    assert_eq!(fs::read_dir(pod.there("")).unwrap().count(), 0);
}

#[test]
fn the_dialogue_is_shown_on_demand_and_never_the_password() {
    let pod = Pod::new();
    let outcome = pod.safetp(&["ls", "-v", &pod.url("")]).run();
    let dialogue = &outcome.is_done().err;
    for line in ["> AUTH TLS", "< 234 ", "> USER alice", "> PASS ****", "> PROT P", "> MLSD"] {
        assert!(dialogue.contains(line), "{line} is missing:\n{dialogue}");
    }
    assert!(!dialogue.contains(crate::support::PASSWORD));
}
