//! The drain of a gateway.

use std::time::Duration;

use safetp_sidecar::drain::Phase;

use crate::support::{Client, Pod};

#[test]
fn in_a_drain_idle_and_new_sessions_get_421_and_transfers_finish() {
    let mut pod = Pod::new();
    let mut idle = pod.login();
    let mut transferring = pod.login();
    let mut data = transferring.open("STOR file");
    pod.drain.send_replace(Phase::Draining);
    assert!(idle.expect(421).contains("shutting down"));
    idle.expect_end();
    let mut newcomer = Client::connect(pod.control_port, pod.trust.clone());
    assert!(newcomer.expect(421).contains("shutting down"));
    assert_eq!(pod.http("/readyz").0, 200, "the owner of running data connections stays in the Service");
    data.write_all(b"all of it").unwrap();
    data.finish();
    transferring.expect(226);
    transferring.expect(421);
    transferring.expect_end();
    assert_eq!(std::fs::read(pod.alice("file")).unwrap(), b"all of it");
    pod.wait_for_end();
}

#[test]
fn uploads_that_still_run_at_the_end_of_the_drain_are_not_stored() {
    let mut pod = Pod::new();
    let mut client = pod.login();
    let mut data = client.open("STOR file");
    data.write_all(b"half").unwrap();
    pod.drain.send_replace(Phase::Draining);
    pod.drain.send_replace(Phase::Over);
    assert!(client.expect(426).contains("shutting down"));
    client.expect(421);
    client.expect_end();
    assert!(!pod.alice("file").exists());
    pod.wait_for_end();
}

#[test]
fn a_drain_ends_after_its_time_however_busy_sessions_are() {
    let mut pod = Pod::new();
    let mut client = pod.login();
    let _data = client.open("STOR file");
    let drain = pod.drain.clone();
    pod.runtime.spawn(async move { safetp_sidecar::drain::drain(&drain, Duration::from_millis(10)).await });
    client.expect(426);
    pod.wait_for_end();
}
