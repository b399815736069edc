//! Control messages: their order, and what does not verify.

use proptest::prelude::*;

use super::{
    super::{Control, Exhausted, Opened, Unverified},
    KEY_1024, pair,
};

/// Client and server after 235.
fn controls() -> (Control, Control) {
    let pair = pair(KEY_1024, 7);
    (pair.client.control, pair.server.control)
}

/// A message whose last octets of plain text are not CRLF.
fn sealed_without_end(control: &mut Control) -> Vec<u8> {
    control.seal(b"NOOP").unwrap()
}

#[test]
fn each_direction_counts_from_0_and_chains_on() {
    let (mut client, mut server) = controls();
    assert_eq!(client.next_sealed(), 0);
    let first = client.seal(b"NOOP\r\n").unwrap();
    assert_eq!(client.next_sealed(), 1);
    let second = client.seal(b"NOOP\r\n").unwrap();
    assert_ne!(first, second, "the same line twice is not the same message");
    assert_eq!(server.open(&first), Ok(Opened { line: b"NOOP".to_vec(), number: 0, answers_clear: false }));
    assert_eq!(server.open(&second), Ok(Opened { line: b"NOOP".to_vec(), number: 1, answers_clear: false }));
    let reply = server.seal(b"200 Well.\r\n").unwrap();
    assert_eq!(client.open(&reply), Ok(Opened { line: b"200 Well.".to_vec(), number: 0, answers_clear: false }));
}

#[test]
fn a_line_comes_with_its_crlf_or_without() {
    let (mut client, mut server) = controls();
    let message = sealed_without_end(&mut client);
    assert_eq!(server.open(&message).unwrap().line, b"NOOP");
}

#[test]
fn a_cr_or_lf_inside_of_a_line_is_unverified() {
    for line in [&b"NOOP\nQUIT\r\n"[..], b"NOOP\r", b"NOOP\n", b"\rNOOP\r\n", b"NOOP\r\n\r\n"] {
        let (mut client, mut server) = controls();
        let message = client.seal(line).unwrap();
        assert_eq!(server.open(&message), Err(Unverified), "{line:?}");
    }
}

#[test]
fn a_message_again_is_unverified() {
    let (mut client, mut server) = controls();
    let message = client.seal(b"NOOP\r\n").unwrap();
    server.open(&message).unwrap();
    assert_eq!(server.open(&message), Err(Unverified));
}

#[test]
fn a_missing_message_is_detected() {
    let (mut client, mut server) = controls();
    client.seal(b"NOOP\r\n").unwrap();
    let second = client.seal(b"NOOP\r\n").unwrap();
    assert_eq!(server.open(&second), Err(Unverified));
}

#[test]
fn a_message_back_to_its_sender_is_unverified() {
    let (mut client, _) = controls();
    let message = client.seal(b"NOOP\r\n").unwrap();
    assert_eq!(client.open(&message), Err(Unverified));
}

#[test]
fn a_message_of_another_session_is_unverified() {
    let (mut client, _) = controls();
    let mut other = pair(KEY_1024, 99).server.control;
    let message = client.seal(b"NOOP\r\n").unwrap();
    assert_eq!(other.open(&message), Err(Unverified));
}

#[test]
fn after_a_message_that_did_not_verify_nothing_opens() {
    let (mut client, mut server) = controls();
    let message = client.seal(b"NOOP\r\n").unwrap();
    assert_eq!(server.open(b"nonsense"), Err(Unverified));
    assert_eq!(server.open(&message), Err(Unverified));
}

#[test]
fn a_message_beyond_the_limit_is_unverified() {
    let (mut client, mut server) = controls();
    let message = client.seal(&vec![b'x'; 65536]).unwrap();
    assert_eq!(server.open(&message), Err(Unverified));
}

#[test]
fn the_last_number_is_used_and_then_the_session_has_to_end() {
    let (client, server) = controls();
    let (mut client, mut server) = (client.starting_at(u32::MAX), server.starting_at(u32::MAX));
    let last = client.seal(b"NOOP\r\n").unwrap();
    assert_eq!(server.open(&last).unwrap().number, u32::MAX);
    assert_eq!(client.seal(b"NOOP\r\n"), Err(Exhausted));
    assert_eq!(server.open(&last), Err(Unverified));
}

#[test]
fn nothing_secret_is_shown_for_debugging() {
    let (client, _) = controls();
    let shown = format!("{client:?}");
    assert!(!shown.contains("iv"), "{shown}");
}

prop_compose! {
    fn line()(text in "[^\r\n]{0,200}") -> String { text }
}

#[test]
fn answers_to_clear_lines_are_marked() {
    let (mut client, mut server) = controls();
    let answer = server.seal_answer_to_clear(b"533 No.\r\n").unwrap();
    assert!(client.open(&answer).unwrap().answers_clear);
    let reply = server.seal(b"200 Well.\r\n").unwrap();
    assert!(!client.open(&reply).unwrap().answers_clear);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_lines_come_through_in_their_order(lines in proptest::collection::vec(line(), 1..8)) {
        let (mut client, mut server) = controls();
        for (line, number) in lines.iter().zip(0..) {
            let message = client.seal(format!("{line}\r\n").as_bytes()).unwrap();
            let opened = server.open(&message).unwrap();
            prop_assert_eq!(opened, Opened { line: line.clone().into_bytes(), number, answers_clear: false });
        }
    }

    #[test]
    fn a_flipped_bit_is_unverified(line in line(), at in any::<prop::sample::Index>()) {
        let (mut client, mut server) = controls();
        let mut message = client.seal(line.as_bytes()).unwrap();
        let bit = at.index(message.len() * 8);
        message[bit / 8] ^= 1 << (bit % 8);
        prop_assert_eq!(server.open(&message), Err(Unverified));
    }

    #[test]
    fn a_truncated_message_is_unverified(line in line(), at in any::<prop::sample::Index>()) {
        let (mut client, mut server) = controls();
        let message = client.seal(line.as_bytes()).unwrap();
        prop_assert_eq!(server.open(&message[..at.index(message.len())]), Err(Unverified));
    }

    #[test]
    fn arbitrary_octets_are_unverified(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
        let (_, mut server) = controls();
        prop_assert_eq!(server.open(&octets), Err(Unverified));
    }
}
