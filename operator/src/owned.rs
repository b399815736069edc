//! Ownership of objects in the cluster, and the comparison that keeps an unchanged object from being written again.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::Resource as _;
use safetp_config::Digest;
use safetp_crds::SafeTPServer;
use serde_json::Value;

use crate::{
    identity::{ServerName, Uid},
    names::APPLIED_ANNOTATION,
};

/// Relation of an existing object to the server that needs its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ownership {
    /// Created for this very server.
    Ours,
    /// Created for an earlier server of the same name: the garbage collector is about to delete it.
    Earlier,
    /// Owned by something else, described in words.
    Foreign(String),
}

/// Decides by the controller's UID. Names prove nothing, because anyone can create an object of any name.
pub fn ownership(meta: &ObjectMeta, server: &ServerName, uid: &Uid) -> Ownership {
    let Some(owner) = meta.owner_references.iter().flatten().find(|owner| owner.controller == Some(true)) else {
        return Ownership::Foreign("no controller".to_owned());
    };
    if owner.uid == uid.as_str() {
        return Ownership::Ours;
    }
    if owner.kind == SafeTPServer::kind(&()) && owner.name == server.as_str() {
        return Ownership::Earlier;
    }
    Ownership::Foreign(format!("{} {}", owner.kind, owner.name))
}

/// Builds the owner reference to a server.
pub fn owner(server: &ServerName, uid: &Uid) -> OwnerReference {
    OwnerReference {
        api_version: SafeTPServer::api_version(&()).into_owned(),
        kind: SafeTPServer::kind(&()).into_owned(),
        name: server.to_string(),
        uid: uid.to_string(),
        controller: Some(true),
        block_owner_deletion: Some(true),
    }
}

/// Annotates `desired` with its own digest, so that a field which is no longer desired is noticed too.
pub fn stamp(desired: &mut Value) -> String {
    let digest = Digest::of([("object", desired.to_string().as_bytes())]).to_string();
    if let Some(meta) = desired.get_mut("metadata").and_then(Value::as_object_mut) {
        let annotations = meta.entry("annotations").or_insert_with(|| Value::Object(serde_json::Map::new()));
        if let Some(annotations) = annotations.as_object_mut() {
            annotations.insert(APPLIED_ANNOTATION.to_owned(), Value::String(digest.clone()));
        }
    }
    digest
}

/// Reports whether `live` already equals `desired` (stamped), so that nothing needs to be sent.
///
/// The stamp shows that no field was removed from `desired` since; the comparison, that `live` was not changed.
pub fn is_in_force(live: &Value, desired: &Value) -> bool {
    contains(live, desired)
}

/// Reports whether every field of `wanted` is in `live` with the same value. Fields that the API server adds are
/// ignored.
fn contains(live: &Value, wanted: &Value) -> bool {
    match (live, wanted) {
        (Value::Object(live), Value::Object(wanted)) => wanted.iter().all(|(key, wanted)| match live.get(key) {
            Some(live) => contains(live, wanted),
            None => is_empty(wanted),
        }),
        (Value::Array(live), Value::Array(wanted)) => {
            live.len() == wanted.len() && live.iter().zip(wanted).all(|(live, wanted)| contains(live, wanted))
        }
        _ => live == wanted,
    }
}

/// Reports whether the API server omits this value when it stores an object.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(map) => map.values().all(is_empty),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn meta(kind: &str, name: &str, uid: &str) -> ObjectMeta {
        let owner =
            OwnerReference { kind: kind.into(), name: name.into(), ..owner(&ServerName::from("x"), &Uid::from(uid)) };
        ObjectMeta { owner_references: Some(vec![owner]), ..ObjectMeta::default() }
    }

    #[test]
    fn only_the_same_uid_makes_an_object_ours() {
        let to_files = |meta: &ObjectMeta| ownership(meta, &ServerName::from("files"), &Uid::from("u1"));
        assert_eq!(to_files(&meta("SafeTPServer", "files", "u1")), Ownership::Ours);
        assert_eq!(to_files(&meta("SafeTPServer", "files", "u0")), Ownership::Earlier);
        assert!(matches!(to_files(&meta("SafeTPServer", "other", "u0")), Ownership::Foreign(_)));
        assert!(matches!(to_files(&ObjectMeta::default()), Ownership::Foreign(_)));
    }

    #[test]
    fn fields_added_by_the_api_server_are_ignored_and_changed_fields_are_noticed() {
        let mut desired = json!({"metadata": {"name": "x"}, "spec": {"ports": [{"port": 21}], "labels": {}}});
        stamp(&mut desired);
        let mut live = desired.clone();
        live["spec"] = json!({"clusterIP": "10.0.0.1", "ports": [{"port": 21, "protocol": "TCP"}]});
        assert!(is_in_force(&live, &desired));
        live["spec"]["ports"][0]["port"] = json!(22);
        assert!(!is_in_force(&live, &desired));
    }

    #[test]
    fn a_removed_field_changes_the_stamp() {
        let mut with = json!({"metadata": {}, "spec": {"a": 1, "b": 2}});
        let mut without = json!({"metadata": {}, "spec": {"a": 1}});
        stamp(&mut with);
        stamp(&mut without);
        assert!(!is_in_force(&with, &without), "the live object still has b");
    }
}
