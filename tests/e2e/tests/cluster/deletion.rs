//! Deletion of a server: what is removed, and the claim that is kept.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use safetp_e2e::{Host, scenario::Namespace};
use serde_json::{Value, json};

const KINDS: &str =
    "services,statefulsets,pods,persistentvolumeclaims,secrets,configmaps,serviceaccounts,roles,rolebindings";

/// The objects in a namespace, but for those that Kubernetes puts into each and those of the test.
fn contents(namespace: &Namespace) -> Result<BTreeSet<String>> {
    let list = namespace.get(KINDS)?;
    let items = list["items"].as_array().cloned().unwrap_or_default();
    let name = |item: &Value| format!("{}/{}", item["kind"], item["metadata"]["name"]).replace('"', "");
    let foreign = ["ConfigMap/kube-root-ca.crt", "ServiceAccount/default", "Secret/alice"];
    Ok(items.iter().map(name).filter(|name| !foreign.contains(&name.as_str())).collect())
}

#[test]
fn deleting_a_server_leaves_nothing_but_the_files_and_its_successor_finds_them() -> Result<()> {
    let namespace = Namespace::new("e2e-deletion")?;
    let server = namespace.server("files", &json!({}))?;
    server.login(Host::Client)?.store("STOR kept.txt", b"still here")?;
    drop(server);

    namespace.cluster().kubectl(&["delete", "safetpserver", "files", "-n", namespace.name(), "--timeout=120s"])?;
    let claim = BTreeSet::from(["PersistentVolumeClaim/files-data".to_owned()]);
    namespace.wait_for(KINDS, "nothing but the claim", |_| (contents(&namespace).ok()? == claim).then_some(()))?;

    let server = namespace.server("files", &json!({}))?;
    ensure!(server.login(Host::Client)?.fetch("RETR kept.txt")? == b"still here", "the successor has other files");
    Ok(())
}

#[test]
fn deleting_a_server_with_retain_delete_leaves_nothing() -> Result<()> {
    let namespace = Namespace::new("e2e-deletion-all")?;
    namespace.server("files", &json!({ "retain": "Delete" }))?;
    namespace.cluster().kubectl(&["delete", "safetpserver", "files", "-n", namespace.name(), "--timeout=120s"])?;
    namespace.wait_for(KINDS, "nothing", |_| contents(&namespace).ok()?.is_empty().then_some(()))
}
