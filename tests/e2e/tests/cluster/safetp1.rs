//! X-SafeTP1 through the load balancer with the client `safetp`, its proxy, and a capture of the wire.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use safetp_e2e::{
    Host,
    capture::{self, Capture},
    clients::{Client, Target},
    files::{Workplace, same},
    safetp::Safetp,
    scenario::{Namespace, PASSWORD, Server},
};
use safetp_ftps::Passive;
use serde_json::{Value, json};

const SIZE: u64 = 64 * 1024 * 1024;
/// A word that is only in names, passwords and files.
const MARKER: &str = "quisquiliae";

fn of_safetp1(more: &Value) -> Value {
    let mut spec = json!({ "security": { "mechanisms": ["X-SafeTP1"] } });
    for (key, value) in more.as_object().into_iter().flatten() {
        spec[key] = value.clone();
    }
    spec
}

fn alice(server: &Server<'_>, password: &str) -> Result<Safetp> {
    Safetp::new(Host::Far, server.endpoint(), password)
}

#[test]
fn a_file_is_stored_and_fetched_under_x_safetp1_from_behind_a_nat() -> Result<()> {
    let namespace = Namespace::new("e2e-safetp1")?;
    let server = namespace.server("files", &of_safetp1(&json!({})))?;
    let workplace = Workplace::new()?;
    let (sent, received) = (workplace.random("sent", SIZE)?, workplace.path("received"));
    let safetp = alice(&server, PASSWORD)?;
    safetp.put(&sent, "file.bin")?;
    safetp.get("file.bin", &received)?;
    same(&sent, &received)?;

    let status = namespace.get("safetpserver files")?;
    let published = status.pointer("/status/security/dsaKeyFingerprint").and_then(Value::as_str);
    let known = std::fs::read_to_string(safetp.known_servers())?;
    let published = published.context("no fingerprint in status")?;
    ensure!(known.contains(published), "status says {published}, the client was shown {known}");
    Ok(())
}

#[test]
fn the_client_refuses_another_signed_address_and_names_the_redirection_check() -> Result<()> {
    let namespace = Namespace::new("e2e-redirected")?;
    // What a redirecting attacker would have to do: the key's owner signs another address than the one that is dialled.
    let wrong = json!({ "exposure": { "address": "192.0.2.1" } });
    namespace.apply_server("files", &of_safetp1(&wrong))?;
    let dialled = namespace.wait_for("service files", "its address", |service| {
        service.pointer("/status/loadBalancer/ingress/0/ip").and_then(Value::as_str).map(str::to_owned)
    })?;
    namespace.wait_ready("files")?;
    let safetp = Safetp::new(Host::Far, format!("{dialled}:21").parse()?, PASSWORD)?;
    let refused = safetp.get("file.bin", Path::new("/dev/null")).expect_err("must refuse").to_string();
    for word in ["redirection check", "192.0.2.1", &dialled] {
        ensure!(refused.contains(word), "{word:?} is missing in: {refused}");
    }
    Ok(())
}

#[test]
fn plain_clients_are_protected_by_the_proxy() -> Result<()> {
    let namespace = Namespace::new("e2e-proxy")?;
    let mechanisms = json!({ "security": { "mechanisms": ["TLS", "X-SafeTP1"] } });
    let server = namespace.server("files", &mechanisms)?;
    let workplace = Workplace::new()?;
    let sent = workplace.random("sent", 3_000_017)?;
    let ca = server.ca_file()?;
    let ca = ca.to_str().context("not UTF-8")?;
    let safetp = alice(&server, PASSWORD)?;
    for arguments in [["--mechanism", "x-safetp1"].as_slice(), &["--mechanism", "tls", "--ca", ca]] {
        let proxy = safetp.proxy(arguments)?;
        let target = Target { host: Host::Far, server: proxy.address, ca: None, user: "alice", password: PASSWORD };
        for client in Client::ALL {
            for passive in [Passive::Pasv, Passive::Epsv] {
                let remote = format!("{client:?}-{passive:?}-{}.bin", arguments[1]);
                let received = workplace.path(&remote);
                client
                    .store_and_fetch(target, passive, &sent, &remote, &received)
                    .with_context(|| format!("{client:?} by {passive:?} through {arguments:?}"))?;
                same(&sent, &received)?;
            }
        }
    }
    Ok(())
}

#[test]
fn a_firewall_sees_the_mechanism_but_no_name_password_or_file() -> Result<()> {
    let namespace = Namespace::new("e2e-capture")?;
    let password = format!("{MARKER}-password");
    namespace.apply_server("files", &of_safetp1(&json!({})))?;
    namespace.apply_object(&json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "alice" },
        "stringData": { "password": password },
    }))?;
    let server = namespace.wait_ready("files")?;
    let workplace = Workplace::new()?;
    let sent = workplace.write("sent", MARKER.repeat(100_000).as_bytes())?;
    let received = workplace.path("received");

    let capture = Capture::start(Host::Firewall)?;
    let safetp = alice(&server, &password)?;
    safetp.put(&sent, &format!("{MARKER}.txt"))?;
    safetp.get(&format!("{MARKER}.txt"), &received)?;
    let packets = capture.finish()?;
    same(&sent, &received)?;

    for visible in [&b"AUTH X-SafeTP1\r\n"[..], b"334 ADAT=", b"ENC ", b"632 "] {
        ensure!(capture::contains(&packets, visible), "not seen: {}", String::from_utf8_lossy(visible));
    }
    ensure!(packets.len() > 2_000_000, "the files themselves were not captured: {} octets", packets.len());
    for secret in [MARKER, "alice", "USER", "PASS", "STOR"] {
        ensure!(!capture::contains(&packets, secret.as_bytes()), "{secret:?} went over the wire in the clear");
    }
    Ok(())
}
