//! How far the pods are by what Kubernetes reports, in sentences. Pure.

use std::collections::BTreeMap;

use k8s_openapi::api::{
    apps::v1::StatefulSet,
    core::v1::{ContainerStatus, Pod, PodStatus},
};
use kube::ResourceExt as _;
use safetp_config::paths::{ADDRESS_ANNOTATION, CONFIG_ANNOTATION};

const REVISION_LABEL: &str = "controller-revision-hash";

/// A pod that Kubernetes reports as ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServingPod {
    pub name: String,
    /// Its address in the pod network.
    pub ip: String,
}

/// The pods that are not being deleted.
pub fn alive(pods: &[Pod]) -> impl Iterator<Item = &Pod> {
    pods.iter().filter(|pod| pod.metadata.deletion_timestamp.is_none())
}

/// The pods of a StatefulSet, if all are ready and of its newest template; else what is being waited for.
pub fn serving_pods(set: &StatefulSet, pods: &[Pod]) -> Result<Vec<ServingPod>, String> {
    let wanted = set.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
    let status = set.status.clone().unwrap_or_default();
    let name = set.name_any();
    if status.observed_generation < set.metadata.generation {
        return Err(format!("waiting for StatefulSet {name} to start the pod"));
    }
    let mut serving = Vec::new();
    for pod in alive(pods).filter(|pod| belongs(pod, set)) {
        let revision = pod.labels().get(REVISION_LABEL);
        if status.update_revision.is_some() && revision != status.update_revision.as_ref() {
            return Err(format!("waiting for pod {} to be replaced by one with the new settings", pod.name_any()));
        }
        serving.push(serving_pod(pod)?);
    }
    if usize::try_from(wanted) == Ok(serving.len()) {
        return Ok(serving);
    }
    Err(format!("waiting for StatefulSet {name} to start the pod"))
}

fn belongs(pod: &Pod, set: &StatefulSet) -> bool {
    pod.owner_references().iter().any(|owner| Some(&owner.uid) == set.metadata.uid.as_ref())
}

fn serving_pod(pod: &Pod) -> Result<ServingPod, String> {
    let name = pod.name_any();
    let status = pod.status.clone().unwrap_or_default();
    let ready =
        status.conditions.iter().flatten().any(|condition| condition.type_ == "Ready" && condition.status == "True");
    match (ready, &status.pod_ip) {
        (true, Some(ip)) => Ok(ServingPod { name, ip: ip.clone() }),
        _ => Err(match trouble(&status) {
            Some(trouble) => format!("pod {name} is not ready: {trouble}"),
            None => format!("waiting for pod {name} to become ready"),
        }),
    }
}

fn trouble(status: &PodStatus) -> Option<String> {
    let unscheduled = status
        .conditions
        .iter()
        .flatten()
        .find(|condition| condition.type_ == "PodScheduled" && condition.status == "False");
    if let Some(condition) = unscheduled {
        return Some(condition.message.clone().unwrap_or_else(|| "it is not scheduled".to_owned()));
    }
    let mut containers = status.init_container_statuses.iter().chain(&status.container_statuses).flatten();
    containers.find_map(waiting)
}

fn waiting(container: &ContainerStatus) -> Option<String> {
    let state = container.state.as_ref()?;
    let waiting = state.waiting.as_ref()?;
    let reason = waiting.reason.as_deref()?;
    if matches!(reason, "ContainerCreating" | "PodInitializing") {
        return None;
    }
    let last = container.last_state.as_ref().and_then(|last| last.terminated.as_ref());
    let message = waiting.message.as_deref().or_else(|| last.and_then(|last| last.message.as_deref()));
    Some(format!("container {}: {reason}: {}", container.name, message.unwrap_or("no message")))
}

/// The annotations that a pod lacks. A change of any makes the kubelet update the mounted files at once: `digest` is
/// that of the files, and `nudge` a number that makes it look again.
pub fn missing_annotations(
    pod: &Pod,
    digest: &str,
    address: Option<&str>,
    nudge: Option<u32>,
) -> BTreeMap<&'static str, String> {
    let present = |key: &str| pod.annotations().get(key).map(String::as_str);
    let mut missing = BTreeMap::new();
    let base = present(CONFIG_ANNOTATION).map(|value| value.split('.').next().unwrap_or(value));
    if base != Some(digest) {
        missing.insert(CONFIG_ANNOTATION, digest.to_owned());
    } else if let Some(nudge) = nudge {
        missing.insert(CONFIG_ANNOTATION, format!("{digest}.{nudge}"));
    }
    if let Some(address) = address.filter(|address| present(ADDRESS_ANNOTATION) != Some(address)) {
        missing.insert(ADDRESS_ANNOTATION, address.to_owned());
    }
    missing
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn set() -> StatefulSet {
        serde_json::from_value(json!({
            "metadata": {"name": "files-0", "uid": "s", "generation": 2},
            "spec": {"replicas": 1, "selector": {}, "template": {}},
            "status": {"observedGeneration": 2, "updateRevision": "r2", "replicas": 1}
        }))
        .unwrap()
    }

    fn pod(revision: &str, status: &serde_json::Value) -> Pod {
        serde_json::from_value(json!({
            "metadata": {
                "name": "files-0-0",
                "labels": {"controller-revision-hash": revision},
                "ownerReferences": [{"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "files-0", "uid": "s"}]
            },
            "status": status
        }))
        .unwrap()
    }

    fn ready() -> serde_json::Value {
        json!({"podIP": "10.1.0.5", "conditions": [{"type": "Ready", "status": "True"}]})
    }

    #[test]
    fn a_ready_pod_of_the_newest_template_serves() {
        let serving = serving_pods(&set(), &[pod("r2", &ready())]).unwrap();
        assert_eq!(serving, [ServingPod { name: "files-0-0".into(), ip: "10.1.0.5".into() }]);
    }

    #[test]
    fn an_old_a_missing_and_a_terminating_pod_are_waited_for() {
        assert!(serving_pods(&set(), &[pod("r1", &ready())]).unwrap_err().contains("to be replaced"));
        assert!(serving_pods(&set(), &[]).unwrap_err().contains("to start the pod"));
        let mut leaving = pod("r2", &ready());
        leaving.metadata.deletion_timestamp = serde_json::from_value(json!("2026-01-01T00:00:00Z")).unwrap();
        assert!(serving_pods(&set(), &[leaving]).is_err());
    }

    #[test]
    fn the_message_of_the_scheduler_or_of_the_container_is_quoted() {
        let unscheduled =
            json!({"conditions": [{"type": "PodScheduled", "status": "False", "message": "0/2 nodes are available"}]});
        assert!(serving_pods(&set(), &[pod("r2", &unscheduled)]).unwrap_err().contains("0/2 nodes"));
        let pull = json!({"containerStatuses": [{
            "name": "gateway", "image": "x", "imageID": "", "ready": false, "restartCount": 0,
            "state": {"waiting": {"reason": "ErrImagePull", "message": "not found"}}
        }]});
        assert!(
            serving_pods(&set(), &[pod("r2", &pull)])
                .unwrap_err()
                .contains("container gateway: ErrImagePull: not found")
        );
    }

    #[test]
    fn an_annotation_that_is_there_is_not_written_again_unless_the_kubelet_needs_a_nudge() {
        let mut pod = pod("r2", &ready());
        assert_eq!(missing_annotations(&pod, "d1", None, None).len(), 1);
        pod.annotations_mut().insert(CONFIG_ANNOTATION.into(), "d1.5".into());
        assert!(missing_annotations(&pod, "d1", None, None).is_empty());
        assert_eq!(missing_annotations(&pod, "d1", None, Some(9))[CONFIG_ANNOTATION], "d1.9");
        assert_eq!(missing_annotations(&pod, "d1", Some("10.0.0.1"), None)[ADDRESS_ANNOTATION], "10.0.0.1");
    }
}
