//! Exposure by a NodePort Service.

use anyhow::{Context as _, Result, ensure};
use safetp_e2e::{Host, scenario::Namespace};
use serde_json::{Value, json};

use crate::transfers::round_trips;

#[test]
fn node_ports_are_announced_with_the_address_of_a_node() -> Result<()> {
    let namespace = Namespace::new("e2e-node-port")?;
    let exposure = json!({ "type": "NodePort" });
    let server = namespace.server("files", &json!({ "exposure": exposure, "dataPorts": { "perReplica": 5 } }))?;
    let nodes = [Host::Node1, Host::Node2].map(|node| node.address().to_string());
    ensure!(nodes.contains(&server.address.to_string()), "{} is not the address of a node", server.address);
    ensure!(server.data.clone().count() == 5 && *server.data.start() >= 30000, "{:?}", server.data);

    let service = namespace.get("service files")?;
    for port in service["spec"]["ports"].as_array().context("no ports")? {
        ensure!(port["port"] == port["nodePort"], "announced and node port differ: {port}");
    }
    round_trips(&server, Host::Client)?;
    round_trips(&server, Host::Far)
}

#[test]
fn a_taken_node_port_moves_the_whole_block() -> Result<()> {
    let namespace = Namespace::new("e2e-node-port-taken")?;
    let taken = 31_003;
    namespace.apply_object(&json!({
        "apiVersion": "v1", "kind": "Service", "metadata": { "name": "other" },
        "spec": { "type": "NodePort", "ports": [{ "port": 80, "nodePort": taken }] },
    }))?;
    let spec = json!({
        "exposure": { "type": "NodePort" },
        "dataPorts": { "first": 31_000, "perReplica": 5, "last": 31_020 },
    });
    let server = namespace.server("files", &spec)?;
    let mut ports: Vec<_> = server.data.clone().chain([server.control]).collect();
    ports.sort_unstable();
    let contiguous = ports.windows(2).all(|pair| matches!(pair, [low, high] if high - low == 1));
    ensure!(contiguous && !ports.contains(&taken), "{ports:?}");
    ensure!(ports.iter().all(|port| (31_000..=31_020).contains(port)), "{ports:?}");
    Ok(())
}

#[test]
fn a_range_without_room_is_reported_in_a_condition() -> Result<()> {
    let namespace = Namespace::new("e2e-node-port-full")?;
    namespace.apply_object(&json!({
        "apiVersion": "v1", "kind": "Service", "metadata": { "name": "other" },
        "spec": { "type": "NodePort", "ports": [{ "port": 80, "nodePort": 31_104 }] },
    }))?;
    let spec = json!({
        "exposure": { "type": "NodePort" },
        "dataPorts": { "first": 31_100, "perReplica": 5, "last": 31_107 },
    });
    namespace.apply_server("files", &spec)?;
    namespace.wait_for("safetpserver files", "a condition about ports", |object: &Value| {
        let (status, _, message) = safetp_e2e::cluster::condition(object, "Ready")?;
        (status == "False" && message.contains("31100")).then_some(())
    })
}
