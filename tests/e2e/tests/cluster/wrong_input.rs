//! Wrong input: refused by `kubectl apply` or reported in a condition.

use anyhow::{Result, ensure};
use safetp_e2e::{Host, cluster::condition, scenario::Namespace};
use serde_json::{Value, json};

fn server(name: &str, spec: &Value) -> String {
    json!({ "apiVersion": "safetp.io/v1alpha1", "kind": "SafeTPServer", "metadata": { "name": name }, "spec": spec })
        .to_string()
}

fn user(name: &str, spec: &Value) -> Value {
    json!({ "apiVersion": "safetp.io/v1alpha1", "kind": "SafeTPUser", "metadata": { "name": name }, "spec": spec })
}

#[test]
fn kubectl_apply_refuses_what_the_schema_forbids_with_a_message() -> Result<()> {
    let namespace = Namespace::new("e2e-refused")?;
    let long = "a-name-that-is-much-too-long-to-be-followed-by-what-is-appended";
    let cases = [
        (server("files", &json!({ "dataPorts": { "first": 1000 } })), "1024"),
        (server("files", &json!({ "dataPorts": { "first": 28100, "last": 28000 } })), "first"),
        (server("files", &json!({ "dataPorts": { "first": 28000, "perReplica": 20, "last": 28010 } })), "last"),
        (server("files", &json!({ "controlPort": 28005, "dataPorts": { "first": 28000 } })), "controlPort"),
        (server(long, &json!({})), "45"),
        (
            user("bob", &json!({ "servers": [], "passwordSecretRef": { "name": "bob", "key": "p" } })).to_string(),
            "servers",
        ),
    ];
    for (manifest, fragment) in cases {
        let said = namespace.cluster().kubectl_refused(&["apply", "-n", namespace.name(), "-f", "-"], &manifest)?;
        ensure!(said.contains(fragment), "{manifest} was refused without {fragment}: {said}");
    }
    Ok(())
}

#[test]
fn what_only_the_operator_can_see_is_reported_in_a_condition_and_stops_no_other_server() -> Result<()> {
    let namespace = Namespace::new("e2e-conditions")?;
    namespace.apply_object(&json!({
        "apiVersion": "v1", "kind": "Service", "metadata": { "name": "taken" },
        "spec": { "ports": [{ "port": 80 }] },
    }))?;
    namespace.apply_object(&json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "broken" }, "type": "kubernetes.io/tls",
        "stringData": { "tls.crt": "no certificate", "tls.key": "no key" },
    }))?;
    namespace.apply(&server("taken", &json!({})))?;
    let certificate = json!({ "security": { "certificate": { "secretRef": { "name": "broken" } } } });
    namespace.apply(&server("broken", &certificate))?;
    let secret = |name: &str| json!({ "name": name, "key": "password" });
    namespace.apply_object(&user("nowhere", &json!({ "servers": ["ghost"], "passwordSecretRef": secret("alice") })))?;
    namespace
        .apply_object(&user("keyless", &json!({ "servers": ["files"], "passwordSecretRef": secret("absent") })))?;
    let works = namespace.server("files", &json!({}))?;
    let twin = json!({ "servers": ["files"], "username": "alice", "passwordSecretRef": secret("alice") });
    namespace.apply_object(&user("twin", &twin))?;

    let said = |what: &str, fragment: &str| {
        namespace.wait_for(what, &format!("a condition that says {fragment:?}"), |object| {
            let (status, _, message) = condition(object, "Ready")?;
            (status == "False" && message.contains(fragment)).then_some(())
        })
    };
    said("safetpserver taken", "exists")?;
    said("safetpserver broken", "certificate")?;
    said("safetpuser nowhere", "ghost")?;
    said("safetpuser keyless", "absent")?;
    said("safetpuser twin", "alice")?;
    works.login(Host::Far)?.store("STOR fine.txt", b"fine")?;
    Ok(())
}

#[test]
fn a_claim_that_stays_pending_is_reported_in_a_condition() -> Result<()> {
    let namespace = Namespace::new("e2e-claim")?;
    let claim = json!({ "storageClassName": "no-such-class", "accessModes": ["ReadWriteOnce"],
                        "resources": { "requests": { "storage": "1Gi" } } });
    namespace.apply_server("files", &json!({ "backend": { "embedded": { "volumeClaim": claim } } }))?;
    namespace.wait_for("safetpserver files", "a condition about the claim", |object| {
        let (status, _, message) = condition(object, "Ready")?;
        (status == "False" && message.contains("files-data")).then_some(())
    })
}
