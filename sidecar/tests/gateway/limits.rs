//! Limits on sessions, logins and idle time.

use crate::support::{Client, PASSWORD, Pod, wait_until};

#[test]
fn a_session_over_the_limit_gets_421_and_a_freed_slot_is_reused() {
    let pod = Pod::with(|config| config.limits.sessions = 2);
    let (mut first, _second) = (pod.login(), pod.login());
    let mut third = Client::connect(pod.control_port, pod.trust.clone());
    assert!(third.expect(421).contains("sessions"));
    third.expect_end();
    first.ask("QUIT", 221);
    first.expect_end();
    drop(first);
    wait_until("its slot is free", || pod.gateway.sessions() == 1);
    pod.login();
}

#[test]
fn a_login_that_finds_no_free_slot_gets_421() {
    let pod = Pod::with(|config| config.limits.sessions = 1);
    let (mut slow, mut user) = (pod.protected(), pod.login());
    slow.ask("USER alice", 331);
    assert!(slow.ask(&format!("PASS {PASSWORD}"), 421).contains("sessions"));
    slow.expect_end();
    user.ask("NOOP", 200);
}

#[test]
fn the_sessions_of_one_address_can_be_limited() {
    let pod = Pod::with(|config| config.limits.sessions_per_peer = 1);
    let _first = pod.login();
    let mut second = Client::connect(pod.control_port, pod.trust.clone());
    assert!(second.expect(421).contains("Your address"));
}

#[test]
fn a_login_that_takes_too_long_is_421() {
    let pod = Pod::with(|config| config.limits.login_seconds = 1);
    let mut client = pod.protected();
    assert!(client.expect(421).contains("login"));
    client.expect_end();
}

#[test]
fn a_handshake_that_never_begins_counts_as_a_part_of_the_login() {
    let pod = Pod::with(|config| config.limits.login_seconds = 1);
    let mut client = pod.connect();
    client.ask("AUTH TLS", 234);
    client.expect_end();
}

#[test]
fn an_idle_session_is_421() {
    let pod = Pod::with(|config| config.limits.idle_seconds = 1);
    let mut client = pod.login();
    assert!(client.expect(421).contains("Idle timeout"));
    client.expect_end();
}

#[test]
fn while_the_ftpd_is_down_clients_get_421_with_the_reason() {
    let pod = Pod::new();
    std::fs::remove_file(pod.path("run").join("ftpd.sock")).unwrap();
    let mut client = Client::connect(pod.control_port, pod.trust.clone());
    assert!(client.expect(421).contains("file server"));
    client.expect_end();
}
