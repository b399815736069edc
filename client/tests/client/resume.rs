//! --continue: what is there already is not sent again, and two versions are never joined.

use std::{
    fs::{self, FileTimes},
    io::Write as _,
    path::Path,
    time::{Duration, SystemTime},
};

use safetp_pod::wait_until;

use crate::support::{Stage, octets};

fn set_age(path: &Path, age: Duration) {
    let file = fs::OpenOptions::new().write(true).open(path).unwrap();
    file.set_times(FileTimes::new().set_modified(SystemTime::now() - age)).unwrap();
}

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn get_resumes_after_a_killed_get() {
    let stage = Stage::new();
    let content = octets(60_000_000);
    fs::write(stage.there("file"), &content).unwrap();
    let get = stage.safetp(&["get", &stage.url("file")]).start();
    wait_until("something has come", || fs::metadata(stage.here("file.part")).is_ok_and(|part| part.len() > 1_000_000));
    get.kill();
    assert!(!stage.here("file").exists());
    let outcome = stage.safetp(&["get", "-v", "-c", &stage.url("file")]).run();
    assert!(outcome.is_done().err.contains("> REST "), "{}", outcome.err);
    assert_eq!(fs::read(stage.here("file")).unwrap(), content);
}

#[test]
fn a_part_that_is_a_link_is_not_written_through() {
    let stage = Stage::new();
    fs::write(stage.there("file"), b"new").unwrap();
    fs::write(stage.here("precious"), b"precious").unwrap();
    std::os::unix::fs::symlink("precious", stage.here("file.part")).unwrap();
    stage.safetp(&["get", &stage.url("file")]).run().is_failure(7, &["file.part", "symbolic link", "Remove it"]);
    assert_eq!(fs::read(stage.here("precious")).unwrap(), b"precious");
}

#[test]
fn get_resumes_after_what_the_part_has() {
    let stage = Stage::new();
    let content = octets(200_000);
    fs::write(stage.there("file"), &content).unwrap();
    set_age(&stage.there("file"), HOUR);
    stage.leave_part("file", &content[..150_000]);
    let outcome = stage.safetp(&["get", "-v", "--continue", &stage.url("file")]).run();
    assert!(outcome.is_done().err.contains("> REST 150000"), "{}", outcome.err);
    assert_eq!(fs::read(stage.here("file")).unwrap(), content);
}

#[test]
fn get_without_continue_starts_over() {
    let stage = Stage::new();
    fs::write(stage.there("file"), b"short").unwrap();
    fs::write(stage.here("file.part"), octets(1000)).unwrap();
    stage.safetp(&["get", &stage.url("file")]).run().is_done();
    assert_eq!(fs::read(stage.here("file")).unwrap(), b"short");
}

#[test]
fn get_does_not_join_two_versions() {
    let stage = Stage::new();
    fs::write(stage.there("file"), octets(200_000)).unwrap();
    stage.leave_part("file", &octets(100_000));
    // Older than the part, as a file is that was moved into place: equality is asked for.
    fs::write(stage.there("file"), octets(200_000)).unwrap();
    set_age(&stage.there("file"), HOUR);
    let get = || stage.safetp(&["get", "--continue", &stage.url("file")]).run();
    get().is_failure(1, &["has changed since", "without --continue"]);
    fs::write(stage.here("file.part"), octets(300_000)).unwrap();
    get().is_failure(1, &["shorter"]);
    assert!(!stage.here("file").exists());
}

#[test]
fn put_resumes_after_what_the_server_has() {
    let stage = Stage::new();
    let content = octets(200_000);
    fs::write(stage.here("file"), &content).unwrap();
    set_age(&stage.here("file"), HOUR);
    fs::write(stage.there("file"), &content[..120_000]).unwrap();
    let outcome = stage.safetp(&["put", "-v", "file", &stage.url(""), "--continue"]).run();
    assert!(outcome.is_done().err.contains("> REST 120000"), "{}", outcome.err);
    assert_eq!(fs::read(stage.there("file")).unwrap(), content);
}

#[test]
fn put_resumes_after_a_killed_put() {
    let stage = Stage::new();
    let content = octets(3_000_000);
    fs::write(stage.here("file"), &content).unwrap();
    let mut put = stage.safetp(&["put", "-", &stage.url("file")]).start();
    put.input().write_all(&content[..2_000_000]).unwrap();
    wait_until("something is stored", || {
        stage.metric("safetp_gateway_transfers_running") == 1 && kept(&stage) > 1_000_000
    });
    put.kill();
    wait_until("the session has ended", || stage.metric("safetp_gateway_sessions") == 0);
    assert!(!stage.there("file").exists());
    let outcome = stage.safetp(&["put", "-v", "file", &stage.url(""), "--continue"]).run();
    assert!(outcome.is_done().err.contains("> REST "), "{}", outcome.err);
    assert_eq!(fs::read(stage.there("file")).unwrap(), content);
}

/// How much of an upload the server has under no name yet.
fn kept(stage: &Stage) -> u64 {
    fn sum(directory: &Path) -> u64 {
        let entries = fs::read_dir(directory).unwrap().map(Result::unwrap);
        entries
            .map(|entry| if entry.path().is_dir() { sum(&entry.path()) } else { entry.metadata().unwrap().len() })
            .sum()
    }
    sum(&stage.there(""))
}

#[test]
fn put_of_another_file_sends_all_of_it() {
    let stage = Stage::new();
    let content = octets(200_000);
    fs::write(stage.there("file"), octets(100_000)).unwrap();
    set_age(&stage.there("file"), HOUR);
    fs::write(stage.here("file"), &content).unwrap();
    let outcome = stage.safetp(&["put", "file", &stage.url(""), "--continue"]).run();
    assert!(outcome.is_done().err.contains("so the whole file is sent"), "{}", outcome.err);
    assert_eq!(fs::read(stage.there("file")).unwrap(), content);
}

#[test]
fn put_of_less_than_the_server_has_is_refused() {
    let stage = Stage::new();
    fs::write(stage.here("file"), b"short").unwrap();
    fs::write(stage.there("file"), octets(1000)).unwrap();
    let outcome = stage.safetp(&["put", "file", &stage.url(""), "--continue"]).run();
    outcome.is_failure(1, &["more than the 5 of the local file"]);
}
