//! Conditions as kstatus, Flux, Argo CD and `kubectl wait` expect them: Ready always, Reconciling and Stalled only
//! while they are true.

mod reason;

pub use reason::Reason;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

const READY: &str = "Ready";

/// Content of the condition Ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub progress: Progress,
    pub reason: Reason,
    /// A sentence for people: the state, and what to do about it.
    pub message: String,
}

/// Progress of a resource towards its spec, in the terms of kstatus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Everything that the spec asks for is in force.
    Ready,
    /// The operator or the cluster is still working on it.
    Reconciling,
    /// Nothing will change until a person changes something.
    Stalled,
}

impl Verdict {
    pub fn new(progress: Progress, reason: Reason, message: impl Into<String>) -> Self {
        Self { progress, reason, message: message.into() }
    }

    pub fn reconciling(reason: Reason, message: impl Into<String>) -> Self {
        Self::new(Progress::Reconciling, reason, message)
    }

    pub fn stalled(reason: Reason, message: impl Into<String>) -> Self {
        Self::new(Progress::Stalled, reason, message)
    }
}

/// The reason of Ready among the conditions of a status.
pub fn ready_reason(conditions: &[Condition]) -> Option<&str> {
    let ready = conditions.iter().find(|condition| condition.type_ == READY)?;
    Some(ready.reason.as_str())
}

/// Builds the conditions for `verdict`. A transition time changes only with its status, as the API conventions require,
/// so that nothing is written while nothing changes.
pub fn build_conditions(
    previous: &[Condition],
    verdict: &Verdict,
    generation: Option<i64>,
    now: Timestamp,
) -> Vec<Condition> {
    let ready = verdict.progress == Progress::Ready;
    let mut conditions = vec![condition(previous, READY, ready, verdict, generation, now)];
    let also = match verdict.progress {
        Progress::Ready => None,
        Progress::Reconciling => Some("Reconciling"),
        Progress::Stalled => Some("Stalled"),
    };
    conditions.extend(also.map(|kind| condition(previous, kind, true, verdict, generation, now)));
    conditions
}

/// Builds a condition other than Ready, which does not affect Ready and is present only while it applies.
pub fn build_notice(
    previous: &[Condition],
    kind: &str,
    reason: Reason,
    message: &str,
    generation: Option<i64>,
    now: Timestamp,
) -> Condition {
    let verdict = Verdict::new(Progress::Ready, reason, message);
    condition(previous, kind, false, &verdict, generation, now)
}

fn condition(
    previous: &[Condition],
    kind: &str,
    status: bool,
    verdict: &Verdict,
    generation: Option<i64>,
    now: Timestamp,
) -> Condition {
    let status = if status { "True" } else { "False" };
    let since = previous.iter().find(|old| old.type_ == kind && old.status == status);
    Condition {
        type_: kind.to_owned(),
        status: status.to_owned(),
        reason: verdict.reason.as_str().to_owned(),
        message: verdict.message.clone(),
        observed_generation: generation,
        last_transition_time: since.map_or_else(|| Time(whole_seconds(now)), |old| old.last_transition_time.clone()),
    }
}

/// Truncates to whole seconds, as the API server does: a finer time would differ from the one read back.
fn whole_seconds(now: Timestamp) -> Timestamp {
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_transition_time_changes_only_with_its_status() {
        let waiting = Verdict::reconciling(Reason::PodPending, "waiting");
        let first = build_conditions(&[], &waiting, Some(1), at(10));
        let other = Verdict::reconciling(Reason::AddressPending, "still waiting");
        let second = build_conditions(&first, &other, Some(1), at(20));
        assert_eq!(second[0].last_transition_time, first[0].last_transition_time);
        assert_eq!(second[0].reason, "AddressPending");
        let ready = Verdict::new(Progress::Ready, Reason::Serving, "");
        let third = build_conditions(&second, &ready, Some(1), at(30));
        assert_eq!(third[0].last_transition_time, Time(at(30)));
    }

    #[test]
    fn reconciling_and_stalled_are_present_only_while_they_are_true() {
        let types = |progress| {
            let verdict = Verdict::new(progress, Reason::Refused, "");
            let all = build_conditions(&[], &verdict, None, at(0));
            all.into_iter().map(|condition| condition.type_).collect::<Vec<_>>()
        };
        assert_eq!(types(Progress::Ready), ["Ready"]);
        assert_eq!(types(Progress::Reconciling), ["Ready", "Reconciling"]);
        assert_eq!(types(Progress::Stalled), ["Ready", "Stalled"]);
    }
}
