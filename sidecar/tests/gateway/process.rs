//! The program itself: what it says when it cannot start, and how it ends.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, Command, Stdio},
};

use rand::Rng as _;
use rustix::process::{Pid, Signal, kill_process};
use safetp_config::ports::PortRange;

use crate::support::{Client, Pod};

fn start(pod: &Pod) -> Child {
    Command::new(env!("CARGO_BIN_EXE_safetp-sidecar"))
        .arg("--gateway-dir")
        .arg(pod.path("gateway"))
        .arg("--log-json")
        .env_remove("RUST_LOG")
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// A gateway of its own before the pod's ftpd, and its control port; `None` where its data port was taken.
fn try_serving(pod: &Pod) -> Option<(Child, u16)> {
    let mut config = pod.config.clone();
    let port = rand::rng().random_range(10_000..30_000);
    config.data_ports = PortRange::new(port, port).unwrap();
    pod.write_config(&config);
    let mut gateway = start(pod);
    let mut log = BufReader::new(gateway.stderr.take().unwrap()).lines().map(Result::unwrap);
    let Some(serving) = log.find(|line| line.contains("\"serving\"")) else {
        gateway.wait().unwrap();
        return None;
    };
    // Read to its end, or the gateway would stand still when the pipe is full.
    std::thread::spawn(move || log.count());
    let serving: serde_json::Value = serde_json::from_str(&serving).unwrap();
    Some((gateway, serving["fields"]["control"].as_u64().unwrap().try_into().unwrap()))
}

#[test]
fn sigterm_drains_and_ends_with_0() {
    let pod = Pod::new();
    let (mut gateway, port) = std::iter::repeat_with(|| try_serving(&pod)).find_map(|attempt| attempt).unwrap();
    let mut client = Client::connect(port, pod.trust.clone());
    client.expect(220);
    client.auth_tls();
    client.ask("PBSZ 0", 200);
    client.ask("PROT P", 200);
    client.login("alice");
    client.store("STOR file", b"by the program");
    kill_process(Pid::from_child(&gateway), Signal::TERM).unwrap();
    assert!(client.expect(421).contains("shutting down"));
    client.expect_end();
    drop(client);
    assert!(gateway.wait().unwrap().success());
}

#[test]
fn without_a_readable_configuration_it_ends_with_a_sentence() {
    let pod = Pod::new();
    pod.replace(&[("gateway.json", b"{}".to_vec())], |in_force| in_force.problem.is_some());
    let mut gateway = start(&pod);
    assert!(!gateway.wait().unwrap().success());
    let mut text = String::new();
    gateway.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    assert!(text.contains("gateway.json") && text.contains("missing field"), "{text}");
}
