//! Concurrent, interrupted and resumed uploads, as clients see them.

use std::fs;

use crate::support::{Client, Pod};

fn break_off(client: &mut Client, command: &str, content: &[u8]) {
    let mut data = client.open(command);
    data.write_all(content).unwrap();
    data.cut();
    client.expect(426);
}

/// Text of the reply to this command.
fn told(client: &mut Client, command: &str) -> String {
    client.ask(command, 213)[4..].trim_end().to_owned()
}

#[test]
fn two_concurrent_appends_answered_by_226_are_both_in_the_file() {
    let pod = Pod::new();
    let (mut first, mut second) = (pod.login(), pod.login());
    first.store("STOR log", b"base ");
    let mut one = first.open("APPE log");
    let mut two = second.open("APPE log");
    one.write_all(b"ONE ").unwrap();
    two.write_all(b"TWO ").unwrap();
    one.finish();
    first.expect(226);
    two.finish();
    second.expect(226);
    assert_eq!(first.fetch("RETR log"), b"base ONE TWO ");
}

#[test]
fn an_append_answered_by_226_is_not_undone_by_an_upload_that_began_before() {
    let pod = Pod::new();
    let (mut first, mut second) = (pod.login(), pod.login());
    first.store("STOR log", b"base ");
    let mut replacing = first.open("STOR log");
    replacing.write_all(b"NEW ").unwrap();
    second.store("APPE log", b"TWO ");
    replacing.finish();
    first.expect(553);
    assert_eq!(first.fetch("RETR log"), b"base TWO ");
    first.store("STOR log", b"NEW ");
    assert_eq!(first.fetch("RETR log"), b"NEW ");
}

#[test]
fn time_size_and_hash_show_a_client_that_the_source_has_changed_before_it_resumes() {
    let pod = Pod::new();
    let mut client = pod.login();
    break_off(&mut client, "STOR file", &vec![b'o'; 300_000]);
    assert_eq!(told(&mut client, "SIZE file"), "300000");
    assert_eq!(told(&mut client, "MDTM file").len(), "YYYYMMDDHHMMSS".len());
    client.ask("RANG 0 299999", 350);
    let old = told(&mut client, "HASH file");
    client.store("STOR other", &vec![b'n'; 300_000]);
    client.ask("RANG 0 299999", 350);
    let new = told(&mut client, "HASH other");
    let digest = |reply: &str| reply.split(' ').nth(2).unwrap().to_owned();
    assert_ne!(digest(&old), digest(&new));
    client.store("STOR file", &vec![b'o'; 300_000]);
    assert_eq!(told(&mut client, "HASH file"), old, "the part was the beginning of this");
}

#[test]
fn an_interrupted_upload_can_be_listed_and_removed() {
    let pod = Pod::new();
    let mut client = pod.login();
    break_off(&mut client, "STOR file", &vec![1; 100_000]);
    assert_eq!(told(&mut client, "SIZE file"), "100000");
    client.ask("DELE file", 250);
    client.ask("SIZE file", 550);
    assert_eq!(fs::read_dir(pod.alice(".safetp-parts")).unwrap().count(), 0);
}

#[test]
fn a_client_that_resumes_by_size_and_appe_gets_the_file_that_it_sent() {
    let pod = Pod::new();
    let mut client = pod.login();
    break_off(&mut client, "STOR file", b"the beginning ");
    assert_eq!(told(&mut client, "SIZE file"), "14");
    client.store("APPE file", b"and the end");
    assert_eq!(client.fetch("RETR file"), b"the beginning and the end");
}
