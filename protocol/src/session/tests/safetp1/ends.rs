//! The state after 235, the ends of a session, and the marks of replies to clear lines.

use super::*;

#[test]
fn after_235_nothing_that_was_said_in_the_clear_counts() {
    let demands = Demands { control_protected: false, ..settings().demands };
    let mut scene = Scene::greeted_with(Settings { demands, ..offering() });
    for (command, reply) in [("USER mallory", "331 password"), ("PASS known", "230 welcome"), ("CWD trap", "250 ok")] {
        scene.client(&format!("{command}\r\n"));
        scene.backend(&format!("{reply}\r\n"));
    }
    scene.client("EPSV ALL\r\n");
    assert_eq!(scene.codes(), [331, 230, 250, 200]);
    let mut protected = Protected::after_proof(scene);
    let outputs = protected.scene.take();
    assert!(matches!(&outputs[..], [Output::ToClient(said), Output::RestartBackend] if said.starts_with(b"235 ")));
    protected.send("PWD");
    assert_eq!(protected.scene.take(), [], "the command waits for a backend that knows nothing");
    protected.scene.session.handle_backend_restarted(protected.scene.now);
    protected.scene.backend("220 ftpd\r\n200 peer\r\n");
    assert!(protected.heard()[0].starts_with("530 "));
    protected.log_in();
    protected.send("PASV");
    protected.scene.session.handle_port(Some(28000), protected.scene.now);
    assert!(protected.heard().last().unwrap().starts_with("227 "), "EPSV ALL came in the clear");
}

#[test]
fn the_count_of_exchanges_is_held_against_the_connection_also_after_235() {
    let mut scene = Scene::greeted_with(offering());
    for _ in 0..2 {
        scene.client("AUTH X-SafeTP1\r\n");
        scene.take();
        scene.adat(b"no message");
        scene.answer();
        assert_eq!(scene.codes(), [535]);
    }
    let mut protected = Protected::after_proof(scene);
    assert_eq!(protected.scene.codes(), [235]);
    assert!(protected.scene.session.negotiation.is_used_up());
}

#[test]
fn the_first_block_that_does_not_verify_ends_the_session() {
    for command in ["STOR a", "RETR a"] {
        let mut protected = Protected::transferring(command);
        assert_eq!(protected.transfer_ends(Err(Failure::Tampered)), ["426", "421"]);
        assert!(protected.scene.session.is_closed());
    }
}

#[test]
fn a_truncated_upload_does_not_end_the_session() {
    let mut protected = Protected::transferring("STOR a");
    assert_eq!(protected.transfer_ends(Err(Failure::Truncated)), ["426"]);
    assert_eq!(protected.code("NOOP"), "200");
}

#[test]
fn after_1_gib_under_prot_p_in_one_direction_a_transfer_is_refused() {
    let mut protected = Protected::logged_in(offering());
    protected.begin("RETR a");
    protected.scene.backend("550 no\r\n");
    assert!(protected.heard().last().unwrap().starts_with("550 "), "one octet is left");
    protected.scene.session.data_keys().unwrap().note_encrypted(1 << 30);
    for command in ["RETR a", "LIST", "STOR a", "APPE a"] {
        protected.begin(command);
        let said = protected.heard().pop().unwrap();
        assert!(said.starts_with("534 ") && said.contains("1 GiB") && said.contains("connect again"), "{said}");
    }
}

#[test]
fn only_encrypted_blocks_count_towards_the_limit_of_a_key() {
    let demands = Demands { data_protected: false, ..settings().demands };
    let mut protected = Protected::logged_in(Settings { demands, ..offering() });
    protected.ask("PROT S");
    protected.scene.session.data_keys().unwrap().note_encrypted(1 << 30);
    protected.begin("RETR a");
    assert!(protected.scene.asked().contains("RETR a\r\n"));
}

#[test]
fn stat_and_abor_during_a_transfer_are_answered_at_once_and_as_the_clients_own() {
    let mut protected = Protected::transferring("RETR a");
    assert_eq!(protected.ask("STAT").last().unwrap(), "211 End");
    protected.scene.client("NOOP\r\n");
    protected.send("ABOR");
    assert_eq!(protected.heard(), [""; 0], "the transfer ends first, and the line in the clear waits for that");
    let heard = protected.transfer_ends(Err(Failure::Aborted));
    assert_eq!(heard, ["426", "226", "533"]);
    assert!(protected.answered_clear, "the 533 alone");
}

#[test]
fn an_unsolicited_421_is_not_marked_as_an_answer_to_a_clear_line() {
    let mut protected = Protected::new();
    protected.scene.pass(LOGIN_TIME);
    assert!(protected.heard()[0].starts_with("421 "));
    assert!(!protected.answered_clear);
}

#[test]
fn errors_inside_of_a_message_are_answers_to_the_client() {
    let mut protected = Protected::new();
    for (command, code) in [("USER", "501"), ("ENC AA==", "537"), ("MIC AA==", "537"), ("PBSZ x", "501")] {
        assert_eq!(protected.code(command), code, "{command}");
    }
    let mut message = protected.control.seal(b"NOOP\r\n").unwrap();
    message[0] ^= 1;
    protected.scene.client(&format!("ENC {}\r\n", BASE64.encode(message)));
    assert!(protected.heard()[0].starts_with("535 "));
    assert!(!protected.answered_clear);
}
