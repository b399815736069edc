//! Exchanges of X-SafeTP1 that are abandoned, cut short, mixed up or replayed: none of them succeeds, and no other
//! client is kept out.

use safetp_config::gateway::{GatewayConfig, Mechanism};
use safetp_protocol::security::safetp1::Level;

use crate::support::{Pod, SafeClient, wait_until};

/// More exchanges than there are processors to answer them.
const MANY: usize = 8;

fn offering(config: &mut GatewayConfig) {
    config.security.mechanisms = vec![Mechanism::SafeTp1];
}

fn sessions(pod: &Pod) -> u64 {
    pod.metric("safetp_gateway_sessions")
}

#[test]
fn abandoned_exchanges_leave_nothing_behind_and_block_no_client() {
    let pod = Pod::with(offering);
    let [question, proof] = SafeClient::connect(&pod).adats;
    for _ in 0..MANY {
        // At once, after half of message 2, without waiting for its answer, and after a wrong proof.
        pod.connect().send("AUTH X-SafeTP1");
        let mut cut = pod.connect();
        cut.ask("AUTH X-SafeTP1", 334);
        cut.send_raw(&question.as_bytes()[..question.len() / 2]);
        let mut unheard = pod.connect();
        unheard.ask("AUTH X-SafeTP1", 334);
        unheard.send(&question);
    }
    let mut disproved = pod.connect();
    disproved.ask("AUTH X-SafeTP1", 334);
    disproved.ask(&question, 335);
    disproved.ask(&proof, 535);
    drop(disproved);
    let mut client = SafeClient::login(&pod, Some(Level::Private));
    client.store("STOR file", b"through all of it");
    drop(client);
    wait_until("all sessions are gone", || sessions(&pod) == 0);
}

#[test]
fn a_replayed_exchange_is_refused() {
    let pod = Pod::with(offering);
    let mut client = SafeClient::connect(&pod);
    let login = client.seal("USER alice");
    let [question, proof] = client.adats;
    let mut replay = pod.connect();
    replay.ask("AUTH X-SafeTP1", 334);
    let answer = replay.ask(&question, 335);
    replay.ask(&proof, 535);
    replay.ask(&proof, 503);
    replay.ask(&login, 503);
    replay.ask("AUTH X-SafeTP1", 334);
    assert_ne!(replay.ask(&question, 335), answer, "the same question twice has two answers");
}

#[test]
fn a_proof_in_place_of_the_question_ends_the_exchange_and_the_third_time_the_session() {
    let pod = Pod::with(offering);
    let [_, proof] = SafeClient::connect(&pod).adats;
    let mut client = pod.connect();
    for _ in 0..3 {
        client.ask("AUTH X-SafeTP1", 334);
        client.ask(&proof, 535);
    }
    client.expect(421);
    client.expect_end();
}

#[test]
fn auth_during_an_exchange_ends_it_even_if_auth_is_refused() {
    let pod = Pod::with(offering);
    let [question, _] = SafeClient::connect(&pod).adats;
    let mut client = pod.connect();
    client.ask("AUTH X-SafeTP1", 334);
    client.ask("AUTH KERBEROS_V4", 504);
    client.ask(&question, 503);
}

#[test]
fn a_line_of_another_session_ends_this_one() {
    let pod = Pod::with(offering);
    let mut other = SafeClient::connect(&pod);
    let stolen = other.seal("USER alice");
    let mut client = SafeClient::connect(&pod);
    client.send_in_the_clear(&stolen);
    client.expect(535);
    client.expect_end();
    other.send_in_the_clear(&stolen);
    other.expect(331);
    other.send_in_the_clear(&stolen);
    other.expect(535);
    other.expect_end();
}

#[test]
fn an_incomplete_line_before_the_end_runs_no_command() {
    let pod = Pod::with(offering);
    let mut client = SafeClient::login(&pod, Some(Level::Private));
    client.store("STOR file", b"as it was");
    let line = client.seal("DELE file");
    client.send_raw_in_the_clear(line.as_bytes());
    drop(client);
    wait_until("the session is gone", || sessions(&pod) == 0);
    assert_eq!(std::fs::read(pod.alice("file")).unwrap(), b"as it was");
}
