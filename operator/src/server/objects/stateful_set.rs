//! The `StatefulSet` of the only replica.

use k8s_openapi::{
    api::{
        apps::v1::{StatefulSet, StatefulSetSpec},
        core::v1::PodTemplateSpec,
    },
    apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta},
};

use safetp_config::paths;

use super::{inputs::BuildInputs, pod::build_pod_spec};
use crate::names::SHARD_LABEL;

/// The number of the only replica.
const SHARD: &str = "0";

pub fn build_stateful_set(inputs: &BuildInputs<'_>) -> StatefulSet {
    let names = &inputs.server.names;
    let mut selector = names.selector();
    selector.insert(SHARD_LABEL.to_owned(), SHARD.to_owned());
    let mut labels = inputs.server.pod.labels.clone();
    labels.extend(names.labels());
    labels.extend(selector.clone());
    let mut annotations = inputs.server.pod.annotations.clone();
    if inputs.server.active_mode.is_some() {
        annotations.insert(paths::ACTIVE_MODE_ANNOTATION.to_owned(), "true".to_owned());
    }
    let annotations = Some(annotations).filter(|all| !all.is_empty());
    StatefulSet {
        metadata: inputs.meta(names.stateful_set()),
        spec: Some(StatefulSetSpec {
            replicas: Some(inputs.server.replicas),
            service_name: Some(names.service()),
            // Not OrderedReady: a pod that never becomes ready would block its own repair by a newer template.
            pod_management_policy: Some("Parallel".to_owned()),
            selector: LabelSelector { match_labels: Some(selector), ..LabelSelector::default() },
            template: PodTemplateSpec {
                metadata: Some(ObjectMeta { labels: Some(labels), annotations, ..ObjectMeta::default() }),
                spec: Some(build_pod_spec(inputs)),
            },
            ..StatefulSetSpec::default()
        }),
        ..StatefulSet::default()
    }
}
