//! Asks the gateway of each pod which files it and its ftpd have loaded, and what else the status should report.

use std::{collections::BTreeSet, net::IpAddr, time::Duration};

use futures::future::join_all;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Bytes;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use safetp_config::{
    address::ExternalAddress,
    status::{GatewayStatus, Landlock},
};

use super::pods::ServingPod;
use crate::{identity::LoginName, server::objects::Expected};

const TIMEOUT: Duration = Duration::from_secs(2);
const MAX_ANSWER: usize = 64 * 1024;

/// Asks pods for their `/status`.
#[derive(Clone)]
pub struct Prober {
    client: Client<HttpConnector, Empty<Bytes>>,
}

/// Answers of the pods, summed up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeReport {
    /// Reason to wait, or `None` when everything is in force.
    pub lag: Option<String>,
    /// Other states that the pods report.
    pub conditions: PodConditions,
    /// Logins of which a pod rejected an upload that did not end with `close_notify`.
    pub unclosed: BTreeSet<LoginName>,
}

/// States that pods report and that are no reason to wait for them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PodConditions {
    /// True if a pod accepted data connections that nothing but their port ties to a session; `None` while no pod
    /// reports one and not every pod has answered.
    pub weak: Option<bool>,
    /// The least that Landlock enforces for any container; `None` while not every pod has answered.
    pub landlock: Option<Landlock>,
}

/// Reason why a pod has not answered.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// No connection, or an incomplete answer.
    #[error("failed to ask it: {0}")]
    Unreachable(String),
    /// No answer within two seconds.
    #[error("failed to ask it: no answer within 2 seconds")]
    TimedOut,
    /// An answer that does not parse.
    #[error("failed to read its answer: {0}")]
    Answer(#[from] serde_json::Error),
}

impl Default for Prober {
    fn default() -> Self {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(TIMEOUT));
        // Pods come and go with their addresses: a connection kept open could lead to the wrong one.
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector);
        Self { client }
    }
}

impl Prober {
    /// Asks all pods at once, each for at most two seconds.
    pub async fn probe(
        &self,
        pods: &[ServingPod],
        admin: u16,
        expected: &Expected,
        address: &ExternalAddress,
    ) -> ProbeReport {
        let ask = |pod: &ServingPod| {
            let (name, ip) = (pod.name.clone(), pod.ip.clone());
            async move { (name, self.ask(&ip, admin).await) }
        };
        let answers = join_all(pods.iter().map(ask)).await;
        let weak = weak(answers.iter().map(|(_, answer)| answer.as_ref().ok()));
        let unclosed = answers.iter().filter_map(|(_, answer)| answer.as_ref().ok());
        let unclosed = unclosed
            .flat_map(|status| status.unclosed_uploads.iter().map(|login| LoginName::from(login.as_str())))
            .collect();
        let landlock = landlock(answers.iter().map(|(_, answer)| answer.as_ref().ok()));
        let lag = answers.into_iter().find_map(|(name, answer)| lag(&name, answer, expected, address));
        ProbeReport { lag, conditions: PodConditions { weak, landlock }, unclosed }
    }

    async fn ask(&self, ip: &str, port: u16) -> Result<GatewayStatus, ProbeError> {
        tokio::time::timeout(TIMEOUT, self.request(ip, port)).await.map_err(|_| ProbeError::TimedOut)?
    }

    async fn request(&self, ip: &str, port: u16) -> Result<GatewayStatus, ProbeError> {
        let unreachable = |error: &dyn std::fmt::Display| ProbeError::Unreachable(error.to_string());
        let host = match ip.parse() {
            Ok(IpAddr::V6(v6)) => format!("[{v6}]"),
            _ => ip.to_owned(),
        };
        let uri = format!("http://{host}:{port}/status").parse().map_err(|error| unreachable(&error))?;
        let response = self.client.get(uri).await.map_err(|error| unreachable(&error))?;
        let body =
            Limited::new(response.into_body(), MAX_ANSWER).collect().await.map_err(|error| unreachable(&error))?;
        Ok(serde_json::from_slice(&body.to_bytes())?)
    }
}

fn weak<'a>(answers: impl Iterator<Item = Option<&'a GatewayStatus>>) -> Option<bool> {
    let mut all_answered = true;
    for answer in answers {
        match answer {
            Some(status) if status.weak_bindings > 0 => return Some(true),
            Some(_) => {}
            None => all_answered = false,
        }
    }
    all_answered.then_some(false)
}

fn landlock<'a>(answers: impl Iterator<Item = Option<&'a GatewayStatus>>) -> Option<Landlock> {
    let of_pod = |status: &GatewayStatus| Some(status.gateway_landlock?.min(status.ftpd_landlock?));
    answers.map(|answer| answer.and_then(of_pod)).try_fold(Landlock::Full, |least, pod| Some(least.min(pod?)))
}

fn lag(
    pod: &str,
    answer: Result<GatewayStatus, ProbeError>,
    expected: &Expected,
    address: &ExternalAddress,
) -> Option<String> {
    let status = match answer {
        Ok(status) => status,
        Err(error) => return Some(format!("waiting for pod {pod} to report what it has loaded ({error})")),
    };
    let problem = status.problem.as_deref().map(|problem| format!(": {problem}")).unwrap_or_default();
    if status.gateway_digest.as_ref() != Some(&expected.gateway) {
        return Some(format!("waiting for pod {pod} to load the new settings and certificate{problem}"));
    }
    if status.ftpd_digest.as_ref() != Some(&expected.ftpd) {
        return Some(format!("waiting for pod {pod} to load the new logins{problem}"));
    }
    match (address, status.address) {
        (_, None) => Some(format!("waiting for pod {pod} to learn the address {address}{problem}")),
        // A name is announced as what it resolves to.
        (ExternalAddress::Ip(_), Some(announced)) if ExternalAddress::parse(&announced) != *address => {
            Some(format!("waiting for pod {pod} to announce {address} instead of {announced}{problem}"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use safetp_config::Digest;

    use super::*;

    fn digest(name: &str) -> Digest {
        Digest::of([(name, b"".as_slice())])
    }

    fn expected() -> Expected {
        Expected { gateway: digest("gateway"), ftpd: digest("ftpd") }
    }

    fn status() -> GatewayStatus {
        GatewayStatus {
            address: Some("203.0.113.7".into()),
            gateway_digest: Some(digest("gateway")),
            ftpd_digest: Some(digest("ftpd")),
            ..GatewayStatus::default()
        }
    }

    fn waiting(status: GatewayStatus) -> Option<String> {
        lag("files-0-0", Ok(status), &expected(), &ExternalAddress::parse("203.0.113.7"))
    }

    #[test]
    fn a_pod_is_ready_only_with_every_file_and_the_address() {
        assert_eq!(waiting(status()), None);
        let old = GatewayStatus { gateway_digest: Some(digest("old")), ..status() };
        assert!(waiting(old).unwrap().contains("new settings"));
        let logins = GatewayStatus { ftpd_digest: None, problem: Some("no ftpd".into()), ..status() };
        assert!(waiting(logins).unwrap().ends_with("new logins: no ftpd"));
        let elsewhere = GatewayStatus { address: Some("203.0.113.6".into()), ..status() };
        assert!(waiting(elsewhere).unwrap().contains("instead of 203.0.113.6"));
        let nowhere = GatewayStatus { address: None, ..status() };
        assert!(waiting(nowhere).unwrap().contains("to learn the address"));
    }

    #[test]
    fn a_name_may_be_announced_as_its_address() {
        let name = ExternalAddress::parse("ftp.example.org");
        assert_eq!(lag("p", Ok(status()), &expected(), &name), None);
    }

    #[tokio::test]
    async fn a_pod_that_does_not_answer_is_waited_for() {
        let pods = [ServingPod { name: "files-0-0".into(), ip: "127.0.0.1".into() }];
        let address = ExternalAddress::parse("203.0.113.7");
        let report = Prober::default().probe(&pods, 1, &expected(), &address).await;
        let lag = report.lag.unwrap();
        assert!(lag.contains("waiting for pod files-0-0"), "{lag}");
        assert_eq!(report.conditions, PodConditions::default());
    }

    #[test]
    fn one_weak_pod_suffices_and_a_silent_one_leaves_the_answer_open() {
        let strong = status();
        let weakly = GatewayStatus { weak_bindings: 1, ..status() };
        assert_eq!(weak([].into_iter()), Some(false));
        assert_eq!(weak([Some(&strong), Some(&strong)].into_iter()), Some(false));
        assert_eq!(weak([None, Some(&weakly)].into_iter()), Some(true));
        assert_eq!(weak([Some(&strong), None].into_iter()), None);
    }

    #[test]
    fn the_container_with_the_least_of_landlock_counts_and_a_silent_one_leaves_the_answer_open() {
        let of = |gateway, ftpd| GatewayStatus { gateway_landlock: gateway, ftpd_landlock: ftpd, ..status() };
        let full = of(Some(Landlock::Full), Some(Landlock::Full));
        let mixed = of(Some(Landlock::Full), Some(Landlock::Missing));
        let older_version = of(Some(Landlock::Full), None);
        assert_eq!(landlock([Some(&full), Some(&full)].into_iter()), Some(Landlock::Full));
        assert_eq!(landlock([Some(&full), Some(&mixed)].into_iter()), Some(Landlock::Missing));
        assert_eq!(landlock([Some(&full), Some(&older_version)].into_iter()), None);
        assert_eq!(landlock([Some(&mixed), None].into_iter()), None);
    }
}
