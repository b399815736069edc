//! The external address: announced within a second of a move, and 425 while none is known.

use std::{
    net::{IpAddr, SocketAddr},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use safetp_e2e::{
    Host,
    cluster::condition,
    ftps,
    scenario::{Namespace, PASSWORD},
};
use serde_json::json;

use crate::watching::Watch;

/// Within the load balancer's pool, above the addresses that it assigns by itself in a run.
const NEW: &str = "203.0.113.248";

/// The control port inside the pod: an unprivileged process cannot have port 21.
const CONTROL_IN_POD: u16 = 2121;

#[test]
fn pasv_announces_a_moved_address_within_a_second_and_a_running_transfer_continues() -> Result<()> {
    let namespace = Namespace::new("e2e-address")?;
    let server = namespace.server("files", &json!({}))?;
    let old = server.address;
    let new: IpAddr = NEW.parse()?;
    let pod = || namespace.get("pod files-0-0").map(|pod| (pod["metadata"]["uid"].clone(), restarts(&pod)));
    let before = pod()?;

    // From the near client: one behind a router would lose the old address with the router's ARP entry for it.
    let mut running = server.login(Host::Client)?;
    let mut asking = server.login(Host::Client)?;
    ensure!(asking.pasv()?.ip() == old, "the first PASV announces another address");
    let moved = AtomicBool::new(false);
    let stored = std::thread::scope(|scope| {
        let upload = scope.spawn(|| -> Result<Vec<u8>> {
            let mut data = running.open("STOR during.bin")?;
            let mut stored = Vec::new();
            while !moved.load(Ordering::Acquire) {
                let chunk = safetp_e2e::files::octets(64 * 1024);
                data.write_all(&chunk)?;
                stored.extend(chunk);
                std::thread::sleep(Duration::from_millis(5)); // the pace of the upload, which must outlast the move
            }
            data.finish();
            running.expect(226)?;
            Ok(stored)
        });
        let announced = move_service(&namespace, new).and_then(|seen| {
            while asking.pasv()?.ip() != new {
                ensure!(seen.elapsed() < Duration::from_secs(30), "PASV still announces the old address");
            }
            Ok(seen.elapsed())
        });
        moved.store(true, Ordering::Release);
        let stored = upload.join().ok().context("the upload panicked")?;
        let announced = announced?;
        println!("PASV announced the new address {} ms after the Service's status showed it", announced.as_millis());
        ensure!(announced < Duration::from_secs(1), "the new address was announced after {announced:?}");
        stored
    })?;

    let reply = asking.command("EPSV")?;
    ensure!(reply.code == 425 && reply.text().contains("moved"), "EPSV on the old address: {reply:?}");
    let server = namespace.wait_for("safetpserver files", "the new address", |object| {
        (object.pointer("/status/address")? == NEW).then_some(())
    });
    server?;
    let server = namespace.wait_ready("files")?;
    ensure!(server.address == new, "status has {}", server.address);
    ensure!(server.login(Host::Far)?.fetch("RETR during.bin")? == stored, "the upload during the move differs");
    ensure!(pod()? == before, "the pod was restarted or replaced");
    Ok(())
}

#[test]
fn without_an_address_the_pod_serves_and_pasv_is_425() -> Result<()> {
    let namespace = Namespace::new("e2e-no-address")?;
    let nowhere = json!({ "metallb.io/address-pool": "none-of-this-name" });
    namespace.apply_server("files", &json!({ "exposure": { "annotations": nowhere } }))?;
    namespace.wait_for("safetpserver files", "a condition about the address", |object| {
        let (status, reason, _) = condition(object, "Ready")?;
        (status == "False" && reason.contains("Address")).then_some(())
    })?;
    let pod = namespace.wait_for("pod files-0-0", "ready without an address", |pod| {
        let (ready, ..) = condition(pod, "Ready")?;
        (ready == "True").then(|| pod["status"]["podIP"].as_str().map(str::to_owned))?
    })?;
    namespace.wait_for("safetpuser alice", "a login and 425", |_| {
        // Only a node is near enough to dial a pod, and no certificate names a pod.
        let dialled = SocketAddr::new(pod.parse().ok()?, CONTROL_IN_POD);
        let mut session = ftps::connect(Host::Node1, dialled, &namespace.ca("files").ok()?).ok()?;
        session.tls.expect_name(&format!("files.{}.svc", namespace.name())).ok()?;
        session.secure().ok()?;
        session.log_in("alice", PASSWORD).ok()?;
        let replies = ["PASV", "EPSV", "PWD"].map(|command| session.command(command).map_or(0, |reply| reply.code));
        (replies == [425, 425, 257]).then_some(())
    })
}

/// Moves the Service to `address`; returns the moment when its status showed it.
fn move_service(namespace: &Namespace, address: IpAddr) -> Result<Instant> {
    let mut watch = Watch::start(namespace, "service/files", "{.status.loadBalancer.ingress[0].ip}")?;
    let patch = json!({ "spec": { "exposure": { "annotations": { "metallb.io/loadBalancerIPs": address } } } });
    let patch = patch.to_string();
    namespace.cluster().kubectl(&[
        "patch",
        "safetpserver",
        "files",
        "-n",
        namespace.name(),
        "--type=merge",
        "-p",
        &patch,
    ])?;
    watch.until(&address.to_string())?;
    Ok(Instant::now())
}

fn restarts(pod: &serde_json::Value) -> Vec<serde_json::Value> {
    let all = ["containerStatuses", "initContainerStatuses"].map(|field| pod["status"][field].as_array().cloned());
    all.into_iter().flatten().flatten().map(|status| status["restartCount"].clone()).collect()
}
