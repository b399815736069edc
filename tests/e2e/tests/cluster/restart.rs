//! An operator that is killed during a reconcile.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use safetp_e2e::{Host, cluster::OPERATOR_NAMESPACE, scenario::Namespace};
use serde_json::{Value, json};

/// The fields of each object that are the same whenever it is created.
fn shape(namespace: &Namespace) -> Result<BTreeMap<String, Value>> {
    let list = namespace.get("services,statefulsets,persistentvolumeclaims,serviceaccounts,roles,rolebindings")?;
    let items = list["items"].as_array().cloned().unwrap_or_default();
    let shape = |item: &Value| {
        let name = format!("{} {}", item["kind"], item["metadata"]["name"]);
        (
            name,
            json!([item["metadata"]["labels"], item["spec"]["ports"], item["spec"]["template"]["spec"], item["rules"]]),
        )
    };
    Ok(items.iter().map(shape).collect())
}

#[test]
fn an_operator_killed_during_a_reconcile_reaches_the_same_state() -> Result<()> {
    let undisturbed = Namespace::new("e2e-undisturbed")?;
    undisturbed.server("files", &json!({}))?;
    let expected = shape(&undisturbed)?;

    // Killed when the first, a middle and the last of its objects has just appeared.
    for (round, first) in ["secret/files-ca", "service/files", "statefulset/files-0"].iter().enumerate() {
        let namespace = Namespace::new(&format!("e2e-killed-{round}"))?;
        namespace.apply_server("files", &json!({}))?;
        namespace.cluster().kubectl(&["wait", "-n", namespace.name(), "--for=create", first, "--timeout=60s"])?;
        let kill = ["delete", "pod", "-n", OPERATOR_NAMESPACE, "--all", "--force", "--grace-period=0"];
        namespace.cluster().kubectl(&kill)?;
        let server = namespace.wait_ready("files")?;
        server.login(Host::Far)?.store("STOR after.txt", b"works")?;
        let found = shape(&namespace)?;
        ensure!(found == expected, "killed at {first}: {found:#?}\nundisturbed: {expected:#?}");
    }
    Ok(())
}
