//! Storing, fetching, renaming and removing, and the parameters of transfers.

use std::fs;

use crate::support::{World, mode};

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

#[test]
fn only_owner_and_group_reach_what_is_made() {
    let (world, mut alice) = World::with_alice();
    alice.ask("MKD dir", 257);
    alice.store("STOR dir/a", "");
    assert_eq!((mode(&world.alice("dir")), mode(&world.alice("dir/a"))), (0o750, 0o640));
    assert_eq!(mode(&world.socket()), 0o660);
}

#[test]
fn directories_are_made_entered_and_removed() {
    let (_world, mut alice) = World::with_alice();
    assert!(alice.ask("MKD a \"b\"", 257).starts_with("257 \"/a \"\"b\"\"\""));
    alice.ask("XCWD a \"b\"", 250);
    assert!(alice.ask("XPWD", 257).starts_with("257 \"/a \"\"b\"\"\""));
    alice.ask("XMKD c", 257);
    alice.ask("MKD c", 550);
    alice.ask("XCUP", 250);
    alice.ask("RMD a \"b\"", 550);
    alice.ask("XRMD a \"b\"/c", 250);
    alice.ask("RMD a \"b\"", 250);
    alice.ask("CWD a \"b\"", 550);
    alice.ask("CWD", 501);
}

#[test]
fn files_are_renamed_over_others_and_removed() {
    let (world, mut alice) = World::with_alice();
    alice.store("STOR a", "a");
    alice.store("STOR b", "b");
    alice.ask("RNTO b", 503);
    alice.ask("RNFR none", 550);
    alice.ask("RNTO b", 503);
    alice.ask("RNFR a", 350);
    alice.ask("RNTO b", 250);
    assert_eq!(fs::read_to_string(world.alice("b")).unwrap(), "a");
    alice.ask("RNFR b", 350);
    alice.ask("RNTO none/b", 553);
    alice.ask("DELE b", 250);
    alice.ask("DELE b", 550);
}

#[test]
fn parameters_that_mean_nothing_are_told_from_those_not_served() {
    let (_world, mut alice) = World::with_alice();
    for command in ["TYPE A", "TYPE A N", "TYPE I", "TYPE L 8", "MODE S", "STRU F", "OPTS UTF8 ON", "opts utf8"] {
        alice.ask(command, 200);
    }
    for command in ["TYPE E", "MODE B", "STRU R", "SITE IDLE 10", "OPTS UTF8 OFF"] {
        alice.ask(command, 504);
    }
    for command in ["MODE", "REST x", "ALLO x", "OPTS X"] {
        alice.ask(command, 501);
    }
    alice.ask("ALLO 10", 200);
    alice.ask("ALLO 10 R 5", 200);
    alice.ask("ACCT x", 202);
    alice.ask("ABOR", 226);
    alice.ask("SITE HELP", 214);
}

#[test]
fn protection_and_addresses_are_unknown_here() {
    let (_world, mut alice) = World::with_alice();
    for command in ["AUTH TLS", "PBSZ 0", "PROT P", "PASV", "EPSV", "PORT 1,2,3,4,5,6", "EPRT |1|1.2.3.4|5|", "REIN"] {
        alice.ask(command, 502);
    }
    alice.ask("NONSENSE", 500);
    alice.ask("", 500);
    alice.ask("XCOMPLETE", 503);
    alice.ask("XFAILED", 503);
}

#[test]
fn a_line_that_is_too_long_is_refused_and_the_next_one_heard() {
    let (_world, mut alice) = World::with_alice();
    alice.ask(&format!("CWD {}", "x".repeat(1_000_000)), 500);
    alice.ask("NOOP", 200);
}

#[test]
fn commands_sent_in_one_go_are_answered_in_order() {
    let (_world, mut alice) = World::with_alice();
    alice.send(b"MKD a\r\nCWD a\r\nPWD\r\nNOOP\nSYST\r\n");
    for code in [257, 250, 257, 200, 215] {
        alice.expect(code);
    }
}

#[test]
fn transfers_sent_in_one_go_wait_for_each_other() {
    let (_world, mut alice) = World::with_alice();
    alice.store("STOR a", "content");
    alice.send(b"RETR a\r\nXCOMPLETE\r\nPWD\r\nRETR a\r\nXFAILED\r\n");
    alice.expect(150);
    alice.expect(226);
    alice.expect(257);
    alice.expect(150);
    alice.expect(426);
}

#[test]
fn features_name_what_is_served() {
    let (_world, mut alice) = World::with_alice();
    let features = alice.ask("FEAT", 211);
    for feature in ["MDTM", "MFMT", "REST STREAM", "SIZE", "TVFS", "UTF8", "MLST type*;size*;"] {
        assert!(features.contains(&format!("\r\n {feature}")), "{feature}");
    }
    assert!(alice.ask("HELP", 214).contains("STOR"));
}
