//! The address that clients dial, and the source from which the gateway learns it. Pure.

use k8s_openapi::api::core::v1::{LoadBalancerIngress, Node, Service};
use safetp_config::{
    address::{
        ExternalAddress,
        service::{Choice, choose, published},
    },
    gateway::AddressSource,
};
use safetp_crds::server::{ExposureType, TrafficPolicy};

use crate::server::validate::ValidatedServer;

/// The source of the address, and the address itself once it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addressing {
    /// The source that the gateway's configuration names.
    pub source: AddressSource,
    pub known: Option<KnownAddress>,
    /// True if connections arrive with their clients' own addresses, as far as the cluster reports.
    pub real_client_addresses: bool,
}

/// An address, and how it was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownAddress {
    pub address: ExternalAddress,
    /// For `status.addressReason`.
    pub reason: String,
}

/// Finds the address. `node` is the node of the server's pod.
pub fn find_address(server: &ValidatedServer, service: Option<&Service>, node: Option<&Node>) -> Addressing {
    let real_client_addresses = keeps_addresses(server, service);
    if let Some(address) = server.exposure.address.clone() {
        let reason = "stated in spec.exposure.address".to_owned();
        let known = KnownAddress { address: ExternalAddress::parse(&address), reason };
        return Addressing { source: AddressSource::Pinned { address }, known: Some(known), real_client_addresses };
    }
    match server.exposure.kind {
        ExposureType::LoadBalancer => {
            let source = AddressSource::Service {
                name: server.names.service(),
                namespace: server.names.namespace().to_string(),
            };
            Addressing { source, known: service.and_then(choose).map(KnownAddress::from), real_client_addresses }
        }
        ExposureType::NodePort => Addressing {
            source: AddressSource::PodAnnotation,
            known: node.and_then(node_address),
            real_client_addresses,
        },
    }
}

/// Returns whether connections keep their clients' addresses. Under `Local` kube-proxy keeps them. A load balancer that
/// reports `ipMode: Proxy` does not, and one that publishes a name may be of either kind.
fn keeps_addresses(server: &ValidatedServer, service: Option<&Service>) -> bool {
    let ingress = service.map(published).unwrap_or_default();
    let proxied = |entry: &LoadBalancerIngress| entry.hostname.is_some() || entry.ip_mode.as_deref() == Some("Proxy");
    server.exposure.external_traffic_policy == TrafficPolicy::Local && !ingress.iter().any(proxied)
}

impl From<Choice> for KnownAddress {
    fn from(choice: Choice) -> Self {
        Self { address: choice.address, reason: choice.reason.to_owned() }
    }
}

fn node_address(node: &Node) -> Option<KnownAddress> {
    let addresses = node.status.as_ref()?.addresses.as_ref()?;
    let of_type = |kind: &str| {
        let mut all: Vec<_> = addresses.iter().filter(|address| address.type_ == kind).collect();
        // 227 carries IPv4 only.
        all.sort_by_key(|address| address.address.contains(':'));
        all.into_iter().next().map(|address| (kind.to_owned(), ExternalAddress::parse(&address.address)))
    };
    let (kind, address) = of_type("ExternalIP").or_else(|| of_type("InternalIP"))?;
    let name = node.metadata.name.as_deref().unwrap_or_default();
    Some(KnownAddress { address, reason: format!("the {kind} of node {name}, where the pod runs") })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::server::validate::{tests::server, validate};

    fn node(addresses: &serde_json::Value) -> Node {
        serde_json::from_value(json!({"metadata": {"name": "n1"}, "status": {"addresses": addresses}})).unwrap()
    }

    fn shown(addressing: &Addressing) -> Option<(String, String)> {
        addressing.known.as_ref().map(|known| (known.address.to_string(), known.reason.clone()))
    }

    #[test]
    fn a_pinned_address_takes_precedence_over_a_published_one() {
        let pinned = validate(&server(json!({"exposure": {"address": "ftp.example.org"}}))).unwrap();
        let found = find_address(&pinned, None, None);
        let expected = ("ftp.example.org".to_owned(), "stated in spec.exposure.address".to_owned());
        assert_eq!(shown(&found), Some(expected));
        assert_eq!(found.source, AddressSource::Pinned { address: "ftp.example.org".into() });
    }

    #[test]
    fn a_node_s_external_address_comes_before_its_internal_one() {
        let server = validate(&server(json!({"exposure": {"type": "NodePort"}}))).unwrap();
        let internal = json!({"type": "InternalIP", "address": "10.0.0.1"});
        let both = node(&json!([internal, {"type": "ExternalIP", "address": "203.0.113.9"}]));
        assert_eq!(shown(&find_address(&server, None, Some(&both))).unwrap().0, "203.0.113.9");
        let only = node(&json!([{"type": "InternalIP", "address": "fd00::1"}, internal]));
        assert_eq!(shown(&find_address(&server, None, Some(&only))).unwrap().0, "10.0.0.1");
        assert_eq!(find_address(&server, None, None).known, None);
    }

    #[test]
    fn a_load_balancer_s_address_is_taken_from_its_own_service_only() {
        let server = validate(&server(json!({}))).unwrap();
        let mut service: Service = serde_json::from_value(json!({
            "spec": {"type": "LoadBalancer"},
            "status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.200", "ipMode": "VIP"}]}}
        }))
        .unwrap();
        assert_eq!(shown(&find_address(&server, Some(&service), None)).unwrap().0, "203.0.113.200");
        service.spec.as_mut().unwrap().type_ = Some("NodePort".into());
        assert_eq!(find_address(&server, Some(&service), None).known, None);
    }

    #[test]
    fn client_addresses_are_real_under_the_local_policy_unless_a_proxy_may_lie_between() {
        let of = |policy: &str, ingress: serde_json::Value| {
            let server = validate(&server(json!({"exposure": {"externalTrafficPolicy": policy}}))).unwrap();
            let service = json!({"spec": {"type": "LoadBalancer"}, "status": {"loadBalancer": {"ingress": ingress}}});
            find_address(&server, Some(&serde_json::from_value(service).unwrap()), None).real_client_addresses
        };
        assert!(of("Local", json!([])));
        assert!(of("Local", json!([{"ip": "203.0.113.200", "ipMode": "VIP"}])));
        assert!(of("Local", json!([{"ip": "203.0.113.200"}])));
        assert!(!of("Local", json!([{"ip": "203.0.113.200", "ipMode": "Proxy"}])));
        assert!(!of("Local", json!([{"hostname": "lb.example.org"}])));
        assert!(!of("Cluster", json!([{"ip": "203.0.113.200", "ipMode": "VIP"}])));
    }
}
