//! Clients that connect and do not log in: however many there are, users can log in.

use std::{
    io::Read as _,
    net::TcpStream,
    time::{Duration, Instant},
};

use crate::support::{Pod, USER, wait_until};

/// Time for a login while strangers do what they like.
const LOGIN_TIME: Duration = Duration::from_secs(1);

fn silent(pod: &Pod) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", pod.control_port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

/// Waits for the end of the connection, whatever comes before it.
fn expect_end(mut stream: TcpStream) {
    let mut said = Vec::new();
    let end = stream.read_to_end(&mut said);
    assert!(!end.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock), "{said:?}");
}

fn displaced(pod: &Pod) -> u64 {
    pod.metric("safetp_gateway_refused_sessions_total{reason=\"displaced\"}")
}

#[test]
fn users_log_in_while_strangers_hold_all_their_places() {
    let pod = Pod::with(|config| config.limits.sessions = 2);
    let strangers: Vec<_> = (0..60).map(|_| silent(&pod)).collect();
    wait_until("all strangers are admitted", || pod.gateway.sessions() == 60);
    assert_eq!(pod.metric("safetp_gateway_strangers"), 60);
    let began = Instant::now();
    let users = [pod.login(), pod.login()];
    assert!(began.elapsed() < 2 * LOGIN_TIME, "{:?}", began.elapsed());
    drop((strangers, users));
    wait_until("all sessions have ended", || pod.gateway.sessions() == 0);
    assert_eq!(pod.metric("safetp_gateway_strangers"), 0);
}

#[test]
fn over_the_share_of_an_address_only_its_oldest_silent_stranger_is_displaced() {
    let pod = Pod::new();
    let (mut user, mut speaking, first) = (pod.login(), pod.protected(), silent(&pod));
    let mut strangers = Vec::new();
    while displaced(&pod) == 0 {
        strangers.push(silent(&pod));
        assert!(strangers.len() < 1000, "one address fills everything");
    }
    expect_end(first);
    strangers.extend((0..20).map(|_| silent(&pod)));
    let began = Instant::now();
    speaking.login(USER);
    pod.login();
    assert!(began.elapsed() < 2 * LOGIN_TIME, "{:?}", began.elapsed());
    user.ask("NOOP", 200);
}

#[test]
fn one_read_of_line_ends_is_answered_line_by_line() {
    let pod = Pod::new();
    let mut client = pod.connect();
    client.send_raw(&[b'\n'; 2048]);
    for _ in 0..2048 {
        client.expect(500);
    }
}
