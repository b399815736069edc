//! New passwords and certificates while sessions run.

use anyhow::{Result, ensure};
use safetp_e2e::{
    Host, ftps,
    scenario::{Namespace, PASSWORD},
};
use serde_json::json;

use crate::watching::Watch;

const READY: &str = "{.status.conditions[?(@.type==\"Ready\")].status}";

#[test]
fn a_new_password_is_in_force_when_the_user_is_ready_again() -> Result<()> {
    let namespace = Namespace::new("e2e-password")?;
    let server = namespace.server("files", &json!({}))?;
    let mut old = server.login(Host::Client)?;
    let mut watch = Watch::start(&namespace, "safetpuser/alice", READY)?;
    namespace.apply_object(&json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "alice" },
        "stringData": { "password": "another horse, another battery" },
    }))?;
    watch.settles_at("True")?;
    let ca = server.ca()?;
    ftps::log_in(Host::Client, server.endpoint(), &ca, "alice", "another horse, another battery")?;
    ensure!(ftps::log_in(Host::Client, server.endpoint(), &ca, "alice", PASSWORD).is_err(), "the old password works");
    old.ask("QUIT", 221)?;
    Ok(())
}

#[test]
fn a_new_certificate_is_in_force_when_the_server_is_ready_again_and_sessions_continue() -> Result<()> {
    let namespace = Namespace::new("e2e-certificate")?;
    let server = namespace.server("files", &json!({}))?;
    let mut old = server.login(Host::Client)?;
    let serial = || namespace.get("secret files-tls").map(|secret| secret["data"]["tls.crt"].clone());
    let before = serial()?;
    let mut watch = Watch::start(&namespace, "safetpserver/files", READY)?;
    namespace.cluster().kubectl(&["delete", "secret", "files-tls", "-n", namespace.name()])?;
    watch.settles_at("True")?;
    ensure!(serial()? != before, "the certificate was not issued again");
    server.login(Host::Client)?.store("STOR new.txt", b"new")?;
    old.ask("NOOP", 200)?;
    ensure!(old.fetch("RETR new.txt")? == b"new", "the old session reads something else");
    Ok(())
}
