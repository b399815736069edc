//! `kubectl`, as the cluster's administrator.

use std::process::Command;

use serde_json::Value;

use crate::{
    command::{capture, feed},
    error::Result,
    layout::Layout,
};

/// A `kubectl` that talks to the test bed's cluster whatever the user's own configuration says.
pub(crate) fn kubectl(layout: &Layout) -> Command {
    let mut kubectl = Command::new(layout.program("kubectl"));
    kubectl.env("KUBECONFIG", layout.kubeconfig());
    kubectl
}

/// Applies objects.
pub(crate) fn apply(layout: &Layout, what: &str, objects: &[Value]) -> Result<()> {
    let list = serde_json::json!({ "apiVersion": "v1", "kind": "List", "items": objects }).to_string();
    let arguments = ["apply", "--server-side", "--force-conflicts", "-f", "-"];
    feed(&format!("apply {what}"), kubectl(layout).args(arguments), list.as_bytes()).map(drop)
}

/// Waits until a condition of an object is true.
pub(crate) fn wait(layout: &Layout, arguments: &[&str]) -> Result<()> {
    let mut kubectl = kubectl(layout);
    kubectl.arg("wait").args(arguments).arg("--timeout=120s");
    capture(&format!("wait for {}", arguments.join(" ")), &mut kubectl).map(drop)
}
