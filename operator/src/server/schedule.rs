//! When a server is reconciled again. Pure.

use std::time::Duration;

use jiff::Timestamp;

use crate::conditions::{Progress, Reason, Verdict};

/// A server that is Ready is reconciled again after this time, in case an event was missed. This writes nothing.
const RESYNC: Duration = Duration::from_secs(600);
/// The same for a stalled server: other owners' objects, whose disappearance is not watched, are looked for again.
pub const STALLED_RETRY: Duration = Duration::from_secs(15);
/// The longest pause after an error.
const ERROR_LIMIT: Duration = Duration::from_secs(30);
/// The longest pause while pods start or an address is awaited.
const WAIT_LIMIT: Duration = Duration::from_secs(10);
/// The longest pause while something that takes seconds is under way.
const SHORT_WAIT_LIMIT: Duration = Duration::from_secs(2);
/// The number of attempts, a power of two, after which a pod is annotated again so that its kubelet looks at the
/// mounted files: some three seconds.
const FIRST_NUDGE: u32 = 4;

/// The pause until the next reconcile. `attempt` counts the reconciles in a row that waited; at `due` the certificate
/// must be renewed, or ends.
pub fn next_look(verdict: &Verdict, attempt: u32, due: Option<Timestamp>, now: Timestamp) -> Duration {
    match verdict.progress {
        Progress::Ready => until(due, now).map_or(RESYNC, |left| left.min(RESYNC)),
        Progress::Stalled => STALLED_RETRY,
        Progress::Reconciling if is_short_wait(verdict.reason) => backoff(attempt, SHORT_WAIT_LIMIT),
        Progress::Reconciling => backoff(attempt, WAIT_LIMIT),
    }
}

/// The pause after the error number `attempt` in a row: short at first, and never shorter than the cluster can bear.
pub fn after_error(attempt: u32) -> Duration {
    backoff(attempt, ERROR_LIMIT)
}

/// Reports whether only new settings or a key are pending: seconds in which running pods serve as before.
pub fn is_short_wait(reason: Reason) -> bool {
    matches!(reason, Reason::ConfigurationPending | Reason::KeyPending)
}

/// Reports whether a pod that lags is annotated again at this attempt. The kubelet may have looked a moment before the
/// new files reached it; it is asked again, ever more rarely.
pub fn is_nudge_due(attempt: u32) -> bool {
    attempt >= FIRST_NUDGE && attempt.is_power_of_two()
}

fn until(due: Option<Timestamp>, now: Timestamp) -> Option<Duration> {
    let seconds = u64::try_from(now.duration_until(due?).as_secs()).ok()?;
    Some(Duration::from_secs(seconds.saturating_add(1)))
}

/// 200 ms, doubled each time.
fn backoff(attempt: u32, limit: Duration) -> Duration {
    let doubled = Duration::from_millis(200).saturating_mul(1 << attempt.saturating_sub(1).min(12));
    doubled.min(limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_second(1_800_000_000).unwrap()
    }

    fn after(verdict: &Verdict, attempt: u32) -> Duration {
        next_look(verdict, attempt, None, now())
    }

    #[test]
    fn a_wait_grows_to_its_limit_and_a_short_one_stays_short() {
        let pod = Verdict::reconciling(Reason::PodPending, "");
        let settings = Verdict::reconciling(Reason::ConfigurationPending, "");
        assert_eq!(after(&pod, 1), Duration::from_millis(200));
        assert_eq!(after(&pod, 3), Duration::from_millis(800));
        assert_eq!((after(&pod, 99), after(&settings, 99)), (WAIT_LIMIT, SHORT_WAIT_LIMIT));
        assert_eq!(after(&Verdict::stalled(Reason::Refused, ""), 1), STALLED_RETRY);
        assert_eq!(after_error(u32::MAX), ERROR_LIMIT);
    }

    #[test]
    fn a_ready_server_is_looked_at_just_after_its_certificate_is_due() {
        let ready = Verdict::new(Progress::Ready, Reason::Serving, "");
        let due = |seconds: i64| Timestamp::from_second(1_800_000_000 + seconds).ok();
        assert_eq!(next_look(&ready, 0, due(60), now()), Duration::from_secs(61));
        assert_eq!(next_look(&ready, 0, due(86_400), now()), RESYNC);
        assert_eq!(next_look(&ready, 0, due(-60), now()), RESYNC, "no tight loop over one that cannot be renewed");
        assert_eq!(next_look(&ready, 0, None, now()), RESYNC);
    }

    #[test]
    fn a_lagging_pod_is_nudged_ever_more_rarely() {
        let nudges: Vec<_> = (0..40).filter(|attempt| is_nudge_due(*attempt)).collect();
        assert_eq!(nudges, [4, 8, 16, 32]);
    }
}
