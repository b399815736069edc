//! Leader election by a Lease. While nothing changes, its renewal is the operator's only write.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::{
    api::coordination::v1::{Lease, LeaseSpec},
    apimachinery::pkg::apis::meta::v1::MicroTime,
};
use kube::{
    Api, Client,
    api::{ObjectMeta, PostParams},
};
use tokio_util::sync::CancellationToken;

use crate::cluster;

/// A leader that has not renewed for this long has lost the lead.
const LEASE: Duration = Duration::from_secs(15);
/// Interval at which the leader renews and the other candidates look.
const RENEW: Duration = Duration::from_secs(5);
/// A leader that could not renew for this long stops, well before another one may begin.
const GIVE_UP: Duration = Duration::from_secs(10);

/// Reason why the Lease could not be acquired or kept.
#[derive(Debug, thiserror::Error)]
pub enum LeaderError {
    #[error("failed to read or write Lease {name}: {}", cluster::text(source))]
    Kube { name: String, source: kube::Error },
    /// Another candidate, named here, leads now.
    #[error("failed to keep the lead: {0} has acquired the Lease")]
    Lost(String),
    #[error("failed to renew the Lease for {} seconds", GIVE_UP.as_secs())]
    Expired,
}

/// One process that takes part in the election.
pub struct Candidate {
    api: Api<Lease>,
    name: String,
    identity: String,
}

/// Holder of the Lease, as this candidate sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Standing {
    Mine,
    Free,
    Held { by: String },
}

impl Candidate {
    /// Creates a candidate for the Lease `name` in `namespace`; `identity` must differ between processes.
    pub fn new(client: Client, namespace: &str, name: &str, identity: &str) -> Self {
        Self { api: Api::namespaced(client, namespace), name: name.to_owned(), identity: identity.to_owned() }
    }

    /// Waits until this process leads; returns `false` if `stop` comes first.
    pub async fn acquire(&self, stop: &CancellationToken) -> bool {
        let mut ticks = tokio::time::interval(RENEW);
        loop {
            tokio::select! {
                () = stop.cancelled() => return false,
                _ = ticks.tick() => {}
            }
            match self.try_lead(Timestamp::now()).await {
                Ok(Standing::Mine) => return true,
                Ok(Standing::Held { by }) => tracing::debug!(leader = %by, "waiting for the lead"),
                Ok(Standing::Free) => {}
                Err(error) => tracing::warn!(%error, "failed to acquire the lead; trying again"),
            }
        }
    }

    /// Renews until `stop`; an error means that another process leads, or soon will.
    pub async fn keep(&self, stop: &CancellationToken) -> Result<(), LeaderError> {
        let mut ticks = tokio::time::interval(RENEW);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        ticks.tick().await;
        let mut renewed = tokio::time::Instant::now();
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                _ = ticks.tick() => {}
            }
            let deadline = renewed + GIVE_UP;
            match tokio::time::timeout_at(deadline, self.try_lead(Timestamp::now())).await {
                Ok(Ok(Standing::Mine)) => renewed = tokio::time::Instant::now(),
                Ok(Ok(Standing::Held { by })) => return Err(LeaderError::Lost(by)),
                Ok(Ok(Standing::Free)) => {}
                Ok(Err(error)) => tracing::warn!(%error, "failed to renew the lead; trying again"),
                Err(_) => return Err(LeaderError::Expired),
            }
        }
    }

    /// Releases the Lease, so that the next leader need not wait for it to expire.
    pub async fn release(&self) -> Result<(), LeaderError> {
        let Some(mut lease) = self.get().await? else { return Ok(()) };
        if standing(&lease, &self.identity, Timestamp::now()) != Standing::Mine {
            return Ok(());
        }
        let spec = lease.spec.get_or_insert_default();
        spec.holder_identity = None;
        spec.lease_duration_seconds = Some(1);
        self.replace(&lease).await.map(|_| ())
    }

    async fn try_lead(&self, now: Timestamp) -> Result<Standing, LeaderError> {
        let Some(mut lease) = self.get().await? else { return self.create(now).await };
        let standing = standing(&lease, &self.identity, now);
        if let Standing::Held { .. } = standing {
            return Ok(standing);
        }
        let taken = standing == Standing::Free;
        claim(lease.spec.get_or_insert_default(), &self.identity, now, taken);
        self.replace(&lease).await
    }

    async fn get(&self) -> Result<Option<Lease>, LeaderError> {
        self.api.get_opt(&self.name).await.map_err(|source| self.failed(source))
    }

    async fn create(&self, now: Timestamp) -> Result<Standing, LeaderError> {
        let mut spec = LeaseSpec::default();
        claim(&mut spec, &self.identity, now, true);
        let metadata = ObjectMeta { name: Some(self.name.clone()), ..ObjectMeta::default() };
        let lease = Lease { metadata, spec: Some(spec) };
        self.outcome(self.api.create(&PostParams::default(), &lease).await)
    }

    async fn replace(&self, lease: &Lease) -> Result<Standing, LeaderError> {
        self.outcome(self.api.replace(&self.name, &PostParams::default(), lease).await)
    }

    /// Maps a conflict to `Free`: if two candidates write at once, the API server accepts one, by the resource version.
    fn outcome(&self, written: Result<Lease, kube::Error>) -> Result<Standing, LeaderError> {
        match written {
            Ok(_) => Ok(Standing::Mine),
            Err(kube::Error::Api(status)) if status.code == 409 => Ok(Standing::Free),
            Err(source) => Err(self.failed(source)),
        }
    }

    fn failed(&self, source: kube::Error) -> LeaderError {
        LeaderError::Kube { name: self.name.clone(), source }
    }
}

fn standing(lease: &Lease, identity: &str, now: Timestamp) -> Standing {
    let Some(spec) = &lease.spec else { return Standing::Free };
    let Some(holder) = spec.holder_identity.as_deref().filter(|holder| !holder.is_empty()) else {
        return Standing::Free;
    };
    if holder == identity {
        return Standing::Mine;
    }
    let duration = SignedDuration::from_secs(i64::from(spec.lease_duration_seconds.unwrap_or(0)));
    let expired = spec.renew_time.as_ref().is_none_or(|renewed| renewed.0 + duration < now);
    if expired { Standing::Free } else { Standing::Held { by: holder.to_owned() } }
}

fn claim(spec: &mut LeaseSpec, identity: &str, now: Timestamp, taken: bool) {
    if taken {
        spec.acquire_time = Some(MicroTime(now));
        spec.lease_transitions = Some(spec.lease_transitions.unwrap_or(-1) + 1);
    }
    spec.holder_identity = Some(identity.to_owned());
    spec.lease_duration_seconds = i32::try_from(LEASE.as_secs()).ok();
    spec.renew_time = Some(MicroTime(now));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn lease(identity: &str, now: Timestamp) -> Lease {
        let mut spec = LeaseSpec::default();
        claim(&mut spec, identity, now, true);
        Lease { spec: Some(spec), ..Lease::default() }
    }

    #[test]
    fn another_holder_s_lease_is_respected_until_it_expires() {
        let lease = lease("other", at(100));
        assert_eq!(standing(&lease, "me", at(115)), Standing::Held { by: "other".into() });
        assert_eq!(standing(&lease, "me", at(116)), Standing::Free);
        assert_eq!(standing(&lease, "other", at(200)), Standing::Mine);
        assert_eq!(standing(&Lease::default(), "me", at(0)), Standing::Free);
    }

    #[test]
    fn a_renewal_is_not_a_transition() {
        let mut spec = lease("me", at(100)).spec.unwrap();
        claim(&mut spec, "me", at(105), false);
        assert_eq!(spec.lease_transitions, Some(0));
        assert_eq!(spec.acquire_time, Some(MicroTime(at(100))));
    }
}
