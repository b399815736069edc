use std::{collections::BTreeMap, time::Duration};

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
    let before = versions(&namespace)?;
    std::thread::sleep(Duration::from_secs(20)); // the length of the observation, not a wait for something
    let after = versions(&namespace)?;
    let written: Vec<_> = after.iter().filter(|(name, version)| before.get(*name) != Some(version)).collect();
    ensure!(written.is_empty(), "written at rest: {written:?}");
    Ok(())
}
