use std::fs;

use crate::support::World;

#[test]
fn a_file_stored_is_listed_and_fetched() {
    let (world, mut alice) = World::with_alice();
    alice.store("STOR notes.txt", "hello");
    assert_eq!(fs::read_to_string(world.alice("notes.txt")).unwrap(), "hello");
    assert_eq!(alice.fetch("NLST"), "notes.txt\r\n");
    assert!(alice.fetch("LIST").ends_with(" notes.txt\r\n"));
    assert_eq!(alice.fetch("RETR notes.txt"), "hello");
    alice.ask("QUIT", 221);
    assert!(alice.reply().is_none());
}
