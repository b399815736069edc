//! The end of a download: 226 comes as soon as the client has everything, and not before.

use std::time::{Duration, Instant};

use safetp_config::gateway::Requirement;

use crate::{support::Pod, transfers::octets};

/// Far less than any client would wait, far more than a reply takes.
const SOON: Duration = Duration::from_secs(1);
/// More than a client's system accepts while the client reads nothing, less than the gateway's system may keep for it.
const LARGE: usize = 2_000_000;

/// Pods over TLS and in the clear.
fn pods() -> [(Pod, bool); 2] {
    let clear = Pod::with(|config| {
        config.security.data = Requirement::Optional;
        config.limits.data_seconds = 3;
    });
    [(Pod::with(|config| config.limits.data_seconds = 3), true), (clear, false)]
}

#[test]
fn a_client_that_reads_the_reply_before_it_closes_has_it_at_once() {
    for (pod, protected) in pods() {
        let mut client = pod.login();
        let file = octets(100_000);
        client.store("STOR file", &file);
        client.protect_data(protected);
        client.ask(if protected { "PROT P" } else { "PROT C" }, 200);
        let mut data = client.open("RETR file");
        let mut read = vec![0; file.len()];
        data.read_exact(&mut read).unwrap();
        let began = Instant::now();
        client.expect(226);
        assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
        assert!(read == file);
        data.finish();
    }
}

#[test]
fn a_reset_after_everything_has_arrived_is_no_failure() {
    for (pod, protected) in pods() {
        let mut client = pod.login();
        let file = octets(100_000);
        client.store("STOR file", &file);
        client.protect_data(protected);
        client.ask(if protected { "PROT P" } else { "PROT C" }, 200);
        for _ in 0..5 {
            let mut data = client.open("RETR file");
            let mut read = vec![0; file.len()];
            data.read_exact(&mut read).unwrap();
            data.reset().unwrap();
            client.expect(226);
            assert!(read == file);
        }
    }
}

#[test]
fn a_reset_before_everything_has_arrived_is_426() {
    for (pod, protected) in pods() {
        let mut client = pod.login();
        client.store("STOR file", &octets(LARGE));
        client.protect_data(protected);
        client.ask(if protected { "PROT P" } else { "PROT C" }, 200);
        let mut data = client.open("RETR file");
        data.read_exact(&mut [0; 1000]).unwrap();
        data.reset().unwrap();
        client.expect(426);
    }
}

#[test]
fn octets_still_in_the_gateways_kernel_have_not_arrived() {
    for (pod, protected) in pods() {
        let mut client = pod.login();
        client.store("STOR file", &octets(LARGE));
        client.protect_data(protected);
        client.ask(if protected { "PROT P" } else { "PROT C" }, 200);
        let data = client.open("RETR file");
        assert!(client.expect(426).contains("256 octets a second"));
        data.cut();
    }
}
