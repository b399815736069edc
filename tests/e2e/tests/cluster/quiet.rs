//! The operator at rest: no write while nothing changes.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use safetp_e2e::scenario::Namespace;
use serde_json::{Value, json};

const KINDS: &str = "safetpservers,safetpusers,services,statefulsets,pods,persistentvolumeclaims,secrets,configmaps,\
                     serviceaccounts,roles,rolebindings,events";

/// The version of every object: it grows with each write.
fn versions(namespace: &Namespace) -> Result<BTreeMap<String, Value>> {
    let list = namespace.get(KINDS)?;
    let version = |item: &Value| {
        let name = format!("{} {}", item["kind"], item["metadata"]["name"]);
        (name, item["metadata"]["resourceVersion"].clone())
    };
    Ok(list["items"].as_array().into_iter().flatten().map(version).collect())
}

#[test]
fn nothing_is_written_while_nothing_changes() -> Result<()> {
    let namespace = Namespace::new("e2e-quiet")?;
    namespace.server("files", &json!({}))?;
    let before = settled(&namespace)?;
    std::thread::sleep(Duration::from_secs(20)); // the length of the observation, not a wait for something
    let after = versions(&namespace)?;
    let written: Vec<_> = after.iter().filter(|(name, version)| before.get(*name) != Some(version)).collect();
    ensure!(written.is_empty(), "written at rest: {written:?}");
    Ok(())
}

/// The versions once Kubernetes itself has written its last about the new pod: unchanged for three seconds.
fn settled(namespace: &Namespace) -> Result<BTreeMap<String, Value>> {
    let mut last = (versions(namespace)?, Instant::now());
    namespace.wait_for(KINDS, "three seconds without a write", |_| {
        let now = versions(namespace).ok()?;
        if now != last.0 {
            last = (now, Instant::now());
        }
        (last.1.elapsed() > Duration::from_secs(3)).then(|| last.0.clone())
    })
}
