//! Kubernetes Events about resources. A reconcile does not fail when one cannot be written.

use kube::{
    Resource,
    runtime::events::{Event, EventType, Recorder},
};

use crate::conditions::{Progress, Reason, Verdict};

/// Maximum length of a note, in characters: the limit of the events API.
const NOTE_MAX: usize = 1024;

/// Publishes a verdict that has changed: as a warning if it is stalled.
pub async fn publish<K: Resource<DynamicType = ()>>(recorder: &Recorder, about: &K, verdict: &Verdict) {
    let kind = if verdict.progress == Progress::Stalled { EventType::Warning } else { EventType::Normal };
    send(recorder, about, kind, verdict.reason, &verdict.message).await;
}

/// Publishes a warning about something that a person must act on.
pub async fn warn<K: Resource<DynamicType = ()>>(recorder: &Recorder, about: &K, reason: Reason, note: &str) {
    send(recorder, about, EventType::Warning, reason, note).await;
}

async fn send<K: Resource<DynamicType = ()>>(
    recorder: &Recorder,
    about: &K,
    type_: EventType,
    reason: Reason,
    note: &str,
) {
    let event = Event {
        type_,
        reason: reason.as_str().to_owned(),
        note: Some(note.chars().take(NOTE_MAX).collect()),
        action: "Reconcile".to_owned(),
        secondary: None,
    };
    if let Err(error) = recorder.publish(&event, &about.object_ref(&())).await {
        tracing::debug!(%error, "failed to publish an event");
    }
}
