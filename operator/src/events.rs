//! Events for people. A failure to write one is no failure of the work.

use kube::{
    Resource,
    runtime::events::{Event, EventType, Recorder},
};

use crate::conditions::{Progress, Verdict};

const NOTE_MAX: usize = 1024;

/// Publishes a verdict that is new.
pub async fn publish<K: Resource<DynamicType = ()>>(recorder: &Recorder, about: &K, verdict: &Verdict) {
    let event = Event {
        type_: if verdict.progress == Progress::Stalled { EventType::Warning } else { EventType::Normal },
        reason: verdict.reason.to_owned(),
        note: Some(verdict.message.chars().take(NOTE_MAX).collect()),
        action: "Reconcile".to_owned(),
        secondary: None,
    };
    if let Err(error) = recorder.publish(&event, &about.object_ref(&())).await {
        tracing::debug!(%error, "failed to publish an event");
    }
}
