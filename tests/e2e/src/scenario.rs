//! The setting of most tests: a namespace of its own under Pod Security `restricted`, one server, and alice.

use std::{
    net::{IpAddr, SocketAddr},
    path::Path,
};

use anyhow::{Context as _, Result};
use safetp_ftps::Session;
use safetp_testbed::Host;
use serde_json::{Value, json};

use crate::{
    clients::Target,
    cluster::{Cluster, is_ready, wait_until},
    files::Workplace,
    ftps,
};

/// The manifest that the README shows, word for word.
pub const README_MANIFEST: &str = include_str!("../../../docs/examples/server.yaml");
/// Alice's password in it.
pub const PASSWORD: &str = "correct horse battery staple";

/// A namespace that is deleted on drop.
pub struct Namespace {
    cluster: &'static Cluster,
    name: String,
}

impl Namespace {
    /// Creates the namespace `name`, under the strictest Pod Security level.
    pub fn new(name: &str) -> Result<Self> {
        let cluster = Cluster::ready()?;
        // Objects of an earlier run must not be taken for this run's.
        cluster.kubectl(&["delete", "namespace", name, "--ignore-not-found", "--timeout=120s"])?;
        cluster.kubectl(&["create", "namespace", name])?;
        cluster.kubectl(&["label", "namespace", name, "pod-security.kubernetes.io/enforce=restricted"])?;
        Ok(Self { cluster, name: name.to_owned() })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The cluster that it is in.
    pub fn cluster(&self) -> &'static Cluster {
        self.cluster
    }

    /// Applies a manifest in it.
    pub fn apply(&self, manifest: &str) -> Result<()> {
        self.cluster.apply(&self.name, manifest)
    }

    /// Applies one object in it.
    pub fn apply_object(&self, object: &Value) -> Result<()> {
        self.apply(&object.to_string())
    }

    /// Applies a server, with alice and her password, without waiting.
    pub fn apply_server(&self, server: &str, spec: &Value) -> Result<()> {
        let version = "safetp.io/v1alpha1";
        let objects = [
            json!({ "apiVersion": version, "kind": "SafeTPServer", "metadata": { "name": server }, "spec": spec }),
            json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "alice" },
                    "stringData": { "password": PASSWORD } }),
            json!({ "apiVersion": version, "kind": "SafeTPUser", "metadata": { "name": "alice" },
                    "spec": { "servers": [server], "passwordSecretRef": { "name": "alice", "key": "password" } } }),
        ];
        self.apply_object(&json!({ "apiVersion": "v1", "kind": "List", "items": objects }))
    }

    /// One object of it.
    pub fn get(&self, what: &str) -> Result<Value> {
        self.cluster.get(&self.name, what)
    }

    /// Waits until `holds` returns something for an object of it.
    pub fn wait_for<T>(&self, what: &str, wanted: &str, holds: impl FnMut(&Value) -> Option<T>) -> Result<T> {
        self.cluster.wait_for(&self.name, what, wanted, holds)
    }

    /// The published CA of a server, PEM.
    pub fn ca(&self, server: &str) -> Result<Vec<u8>> {
        let secret = format!("secret/{server}-ca");
        let template = "-o=go-template={{index .data \"ca.crt\" | base64decode}}";
        Ok(self.cluster.kubectl(&["get", "-n", &self.name, &secret, template])?.into_bytes())
    }

    /// Waits until a server and alice are Ready.
    pub fn wait_ready(&self, server: &str) -> Result<Server<'_>> {
        let what = format!("safetpserver {server}");
        let object = self.wait_for(&what, "Ready", |object| is_ready(object).then(|| object.clone()))?;
        self.wait_for("safetpuser alice", "Ready", |object| is_ready(object).then_some(()))?;
        let server = Server::from(self, server, &object)?;
        if object.pointer("/spec/exposure/address").is_none() {
            [Host::Client, Host::Far].into_iter().try_for_each(|host| server.wait_reachable(host))?;
        }
        Ok(server)
    }

    /// A server, with alice, Ready.
    pub fn server(&self, server: &str, spec: &Value) -> Result<Server<'_>> {
        self.apply_server(server, spec)?;
        self.wait_ready(server)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return; // the objects of a failed test are kept for inspection
        }
        // After an error here the next run deletes the namespace first.
        let _ = self.cluster.kubectl(&["delete", "namespace", &self.name, "--wait=false"]);
    }
}

/// A server that is Ready, from its status.
pub struct Server<'a> {
    namespace: &'a Namespace,
    name: String,
    /// `.status.address`.
    pub address: IpAddr,
    /// `.status.ports.control`.
    pub control: u16,
    /// `.status.ports.dataFirst` to `.status.ports.dataLast`.
    pub data: std::ops::RangeInclusive<u16>,
    workplace: Workplace,
}

impl<'a> Server<'a> {
    fn from(namespace: &'a Namespace, name: &str, object: &Value) -> Result<Self> {
        let text = object.pointer("/status/address").and_then(Value::as_str).context("no status.address")?;
        let address = text.parse().with_context(|| format!("status.address is not an IP address: {text}"))?;
        let port = |field: &str| {
            let number = object.pointer(&format!("/status/ports/{field}")).and_then(Value::as_u64);
            number.and_then(|number| u16::try_from(number).ok()).with_context(|| format!("no status.ports.{field}"))
        };
        let (control, data) = (port("control")?, port("dataFirst")?..=port("dataLast")?);
        let workplace = Workplace::new()?;
        Ok(Self { namespace, name: name.to_owned(), address, control, data, workplace })
    }

    /// The published CA, PEM.
    pub fn ca(&self) -> Result<Vec<u8>> {
        self.namespace.ca(&self.name)
    }

    /// The control port's address.
    pub fn endpoint(&self) -> SocketAddr {
        SocketAddr::new(self.address, self.control)
    }

    /// Waits until `host` can connect. Ready means that pod and Service are done; no object shows when kube-proxy has
    /// updated each node and the load balancer answers for the address.
    fn wait_reachable(&self, host: Host) -> Result<()> {
        wait_until(|| Ok(host.connect(self.endpoint())?)).map(drop)
    }

    /// A session of alice's, from `host`.
    pub fn login(&self, host: Host) -> Result<Session> {
        self.login_with(host, &self.ca()?)
    }

    /// As [`Server::login`], with a CA that was read before.
    pub fn login_with(&self, host: Host, ca: &[u8]) -> Result<Session> {
        ftps::log_in(host, self.endpoint(), ca, "alice", PASSWORD)
    }

    /// The published CA as a file.
    pub fn ca_file(&self) -> Result<std::path::PathBuf> {
        self.workplace.write("ca.crt", &self.ca()?)
    }

    /// Alice as the target of a client program.
    pub fn target<'b>(&self, host: Host, ca: &'b Path) -> Target<'b> {
        Target { host, server: self.endpoint(), ca: Some(ca), user: "alice", password: PASSWORD }
    }

    /// The server's name.
    pub fn name(&self) -> &str {
        &self.name
    }
}
