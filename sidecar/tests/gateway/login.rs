//! Logins, from the greeting to 230 or to their refusal.

use safetp_config::gateway::Requirement;
use safetp_pod::PASSWORD;

use crate::support::{Pod, wait_until};

#[test]
fn a_client_logs_in_after_auth_tls() {
    let pod = Pod::new();
    let mut client = pod.login();
    assert!(client.ask("PWD", 257).contains("\"/\""));
    client.ask("QUIT", 221);
    client.expect_end();
}

#[test]
fn before_auth_a_user_is_refused_with_what_to_do() {
    let pod = Pod::new();
    let mut client = pod.connect();
    assert!(client.ask("USER alice", 530).contains("AUTH TLS first"));
    client.ask("PASS secret", 530);
    client.ask("LIST", 530);
    client.ask("PBSZ 0", 503);
    client.ask("NOOP", 200);
    client.ask("SYST", 215);
    client.ask("HELP", 214);
}

#[test]
fn feat_before_login_lists_the_features_of_gateway_and_ftpd() {
    let pod = Pod::new();
    let text = pod.connect().ask("FEAT", 211);
    for feature in [" AUTH TLS", " PBSZ", " PROT", " EPSV", " PASV", " SIZE", " MLST", " REST STREAM", " UTF8"] {
        assert!(text.lines().any(|line| line.starts_with(feature)), "{feature} is missing:\n{text}");
    }
    assert!(!text.contains("XDIGEST"), "{text}");
}

#[test]
fn a_wrong_password_is_refused_and_counted() {
    let pod = Pod::new();
    let mut client = pod.protected();
    client.ask("USER alice", 331);
    client.ask("PASS wrong", 530);
    client.ask("PWD", 530);
    client.login("alice");
    assert_eq!(pod.metric("safetp_gateway_logins_total{result=\"refused\"}"), 1);
    assert_eq!(pod.metric("safetp_gateway_logins_total{result=\"ok\"}"), 1);
}

#[test]
fn commands_pipelined_in_the_clear_after_auth_are_never_read_as_protected() {
    let pod = Pod::new();
    let mut client = pod.connect();
    client.send_raw(b"AUTH TLS\r\nUSER mallory\r\nPASS x\r\n");
    assert!(client.expect(421).contains("before the reply to AUTH"));
    client.expect_end();
}

#[test]
fn no_state_from_before_auth_tls_is_left_after_it() {
    let pod = Pod::with(|config| {
        config.security.control = Requirement::Optional;
        config.security.data = Requirement::Optional;
    });
    let mut client = pod.connect();
    client.login("alice");
    client.ask("MKD trap", 257);
    client.ask("CWD trap", 250);
    client.ask("REST 5", 350);
    client.ask("RNFR ../trap", 350);
    client.ask("EPSV ALL", 200);
    client.epsv();
    client.auth_tls();
    for command in ["PWD", "RNTO elsewhere", "LIST", "RETR a"] {
        client.ask(command, 530);
    }
    client.ask(&format!("PASS {PASSWORD}"), 503);
    client.login("alice");
    assert!(client.ask("PWD", 257).contains("\"/\""));
    client.ask("RNTO elsewhere", 503);
    client.ask("LIST", 425);
    client.pasv();
    assert!(pod.alice("trap").exists());
}

#[test]
fn clear_octets_that_come_after_234_break_the_handshake_and_are_not_commands() {
    let pod = Pod::new();
    let mut client = pod.connect();
    client.ask("AUTH TLS", 234);
    client.send_raw(b"USER mallory\r\n");
    assert!(client.handshake().is_err());
    wait_until("the failure is counted", || pod.metric("safetp_gateway_tls_handshake_failures_total") == 1);
}

#[test]
fn clients_cannot_use_the_commands_of_the_dialect() {
    let pod = Pod::new();
    let mut client = pod.login();
    for verb in ["XPEER 192.0.2.1 1", "XDIGEST", "XCOMPLETE", "XFAILED"] {
        client.ask(verb, 500);
    }
}

#[test]
fn a_line_that_is_too_long_gets_500_and_the_session_continues() {
    let pod = Pod::new();
    let mut client = pod.login();
    client.ask(&format!("CWD {}", "x".repeat(100_000)), 500);
    client.ask("NOOP", 200);
}
