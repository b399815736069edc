//! MetalLB: the load balancer of the cluster, answering ARP for addresses of the public network.

use serde::Deserialize as _;
use serde_json::{Value, json};

use crate::{
    error::{Doing as _, Error, Result},
    images::{METALLB_CONTROLLER, METALLB_SPEAKER},
    kubectl::{apply, wait},
    layout::Layout,
    network::BALANCER_RANGE,
    programs::module_source,
};

/// Installs it.
pub(crate) fn install(layout: &Layout) -> Result<()> {
    apply(layout, "MetalLB", &manifests(layout)?)?;
    wait(layout, &["--for=condition=Established", "crd/ipaddresspools.metallb.io", "crd/l2advertisements.metallb.io"])?;
    apply(layout, "MetalLB's addresses", &addresses())
}

/// Waits until it assigns addresses.
pub(crate) fn wait_ready(layout: &Layout) -> Result<()> {
    let controller = ["--namespace=metallb-system", "--for=condition=Available", "deployment/controller"];
    wait(layout, &controller)?;
    let speakers = ["--namespace=metallb-system", "--for=condition=Ready", "pod", "--selector=component=speaker"];
    wait(layout, &speakers)
}

fn manifests(layout: &Layout) -> Result<Vec<Value>> {
    let path = module_source(layout, "metallb", "go.universe.tf/metallb")?.join("config/manifests/metallb-native.yaml");
    let text = std::fs::read_to_string(&path).doing(format_args!("read {}", path.display()))?;
    let parsed: Result<Vec<_>, _> = serde_yaml::Deserializer::from_str(&text).map(Value::deserialize).collect();
    let objects = parsed
        .map_err(|error| Error::Failed { doing: format!("read {}", path.display()), detail: error.to_string() })?;
    Ok(objects.into_iter().filter(wanted).map(with_our_images).collect())
}

/// The API server's host has no kube-proxy, so it reaches no Service, and every request to a webhook would time out.
fn wanted(object: &Value) -> bool {
    object.get("kind").is_some_and(|kind| kind != "ValidatingWebhookConfiguration")
}

fn with_our_images(mut object: Value) -> Value {
    if object.get("kind") == Some(&json!("CustomResourceDefinition")) {
        if let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) {
            spec.remove("conversion"); // a webhook too
        }
        return object;
    }
    let image = match object.pointer("/metadata/name").and_then(Value::as_str) {
        Some("controller") => METALLB_CONTROLLER,
        _ => METALLB_SPEAKER,
    };
    let Some(container) = object.pointer_mut("/spec/template/spec/containers/0").and_then(Value::as_object_mut) else {
        return object;
    };
    container.insert("image".to_owned(), json!(image));
    if let (METALLB_CONTROLLER, Some(arguments)) = (image, container.get_mut("args").and_then(Value::as_array_mut)) {
        arguments.retain(|argument| !argument.as_str().is_some_and(|text| text.starts_with("--webhook-mode")));
        arguments.push(json!("--webhook-mode=disabled"));
    }
    object
}

fn addresses() -> [Value; 2] {
    let metadata = json!({ "name": "public", "namespace": "metallb-system" });
    [
        json!({
            "apiVersion": "metallb.io/v1beta1", "kind": "IPAddressPool", "metadata": metadata,
            "spec": { "addresses": [BALANCER_RANGE], "autoAssign": true },
        }),
        json!({
            "apiVersion": "metallb.io/v1beta1", "kind": "L2Advertisement", "metadata": metadata,
            "spec": { "ipAddressPools": ["public"] },
        }),
    ]
}
