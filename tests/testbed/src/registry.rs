//! A registry of images, as users have one: CNCF distribution on the control plane's host, over TLS and with a
//! certificate that the cluster's own CA signed.

use std::{path::PathBuf, time::Duration};

use serde_json::json;

use crate::{
    error::Result,
    hosts::Host,
    layout::{Layout, state, write},
    processes,
};

const NAME: &str = "registry";
const PORT: u16 = 5000;

/// Its address, as image names and containerd's folders spell it.
pub(crate) fn address() -> String {
    format!("{}:{PORT}", Host::ControlPlane.address())
}

/// Starts it where it does not run, and waits until it answers.
pub(crate) fn start(layout: &Layout) -> Result<()> {
    if processes::running(NAME) {
        return Ok(());
    }
    let config = json!({
        "version": "0.1",
        "storage": { "filesystem": { "rootdirectory": state("registry/data") } },
        "http": {
            "addr": address(),
            "tls": { "certificate": state("pki/server.crt"), "key": state("pki/server.key") },
        },
    });
    write(&state("registry/config.json"), config.to_string())?; // YAML reads JSON
    let mut registry = Host::ControlPlane.command(layout.program(NAME));
    registry.arg("serve").arg(state("registry/config.json"));
    processes::start(layout, NAME, &mut registry)?;
    processes::wait_ready(layout, NAME, Duration::from_secs(30), answers)
}

/// The file in which containerd finds the registry's CA.
pub(crate) fn hosts_config() -> String {
    format!("server = \"https://{}\"\nca = \"{}\"\n", address(), authority().display())
}

/// The CA of its certificate, PEM.
pub(crate) fn authority() -> PathBuf {
    state("pki/ca.crt")
}

fn answers() -> bool {
    let asked = Host::ControlPlane
        .command("curl")
        .args(["--silent", "--fail", "--cacert"])
        .arg(authority())
        .arg(format!("https://{}/v2/", address()))
        .output();
    asked.is_ok_and(|output| output.status.success())
}
