//! Volumes: a default StorageClass without a provisioner, and folders that both nodes see.

use std::os::unix::fs::{PermissionsExt as _, chown};

use serde_json::{Value, json};

use crate::{
    command::capture,
    error::{Doing as _, Error, Result},
    kubectl::{apply, kubectl},
    layout::{Layout, create_folder, state},
};

/// Claims that can be bound at once.
const VOLUMES: usize = 48;
/// The user of the container with the files: the kubelet applies no `fsGroup` to a hostPath volume.
const OWNER: u32 = 65532;

/// Creates the class and the volumes.
pub(crate) fn install(layout: &Layout) -> Result<()> {
    let mut objects = vec![json!({
        "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass",
        "metadata": {
            "name": "folders",
            "annotations": { "storageclass.kubernetes.io/is-default-class": "true" },
        },
        "provisioner": "kubernetes.io/no-provisioner",
        "volumeBindingMode": "WaitForFirstConsumer",
    })];
    for number in 0..VOLUMES {
        let name = format!("folder-{number:02}");
        empty(&name)?;
        objects.push(volume(&name));
    }
    apply(layout, "volumes", &objects)
}

/// Empties the volumes whose claims are gone and offers them again.
pub(crate) fn recycle(layout: &Layout) -> Result<()> {
    let list = capture("list volumes", kubectl(layout).args(["get", "pv", "-o", "json"]))?;
    let list: Value = serde_json::from_str(&list)
        .map_err(|error| Error::Failed { doing: "list volumes".to_owned(), detail: error.to_string() })?;
    let released = list
        .get("items")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter(|volume| volume.pointer("/status/phase").and_then(Value::as_str) == Some("Released"));
    for name in released.filter_map(|volume| volume.pointer("/metadata/name").and_then(Value::as_str)) {
        empty(name)?;
        let patch = r#"[{"op":"remove","path":"/spec/claimRef"}]"#;
        capture("offer a volume again", kubectl(layout).args(["patch", "pv", name, "--type=json", "-p", patch]))?;
    }
    Ok(())
}

fn empty(name: &str) -> Result<()> {
    let folder = state("volumes").join(name);
    if folder.exists() {
        std::fs::remove_dir_all(&folder).doing(format_args!("empty {}", folder.display()))?;
    }
    create_folder(&folder)?;
    let doing = format!("set the owner of {}", folder.display());
    chown(&folder, Some(OWNER), Some(OWNER)).doing(&doing)?;
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o770)).doing(&doing)
}

fn volume(name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "PersistentVolume",
        "metadata": { "name": name },
        "spec": {
            "accessModes": ["ReadWriteOnce", "ReadWriteMany"],
            "capacity": { "storage": "10Gi" },
            "hostPath": { "path": state("volumes").join(name), "type": "Directory" },
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": "folders",
        },
    })
}
