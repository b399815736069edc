//! The address in a Service's status: read and chosen here alone, so that the operator's status and the gateway's PASV
//! cannot disagree.

use std::net::IpAddr;

use k8s_openapi::api::core::v1::{LoadBalancerIngress, Service};

use super::ExternalAddress;

/// A chosen address, and the sentence for `status.addressReason`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The address.
    pub address: ExternalAddress,
    /// Reason for this address.
    pub reason: &'static str,
}

/// Entries that a load balancer has published for the Service. A Service whose type is not `LoadBalancer` has none: its
/// status may still carry those of an earlier type.
pub fn published(service: &Service) -> &[LoadBalancerIngress] {
    let is_load_balancer = service.spec.as_ref().is_some_and(|spec| spec.type_.as_deref() == Some("LoadBalancer"));
    let status = service.status.as_ref().filter(|_| is_load_balancer);
    status.and_then(|status| status.load_balancer.as_ref()?.ingress.as_deref()).unwrap_or_default()
}

/// Chooses among the [`published`] entries: a public IPv4 address before a private one (clients of 227 need IPv4),
/// before IPv6, before a name. `None` while nothing usable is published.
pub fn choose(service: &Service) -> Option<Choice> {
    published(service).iter().filter_map(candidate).min_by_key(|(rank, _)| *rank).map(|(_, choice)| choice)
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    PublicV4,
    PrivateV4,
    V6,
    Name,
}

fn candidate(ingress: &LoadBalancerIngress) -> Option<(Rank, Choice)> {
    let ip = ingress.ip.as_deref().and_then(|text| text.parse::<IpAddr>().ok());
    if let Some(ip) = ip {
        let (rank, reason) = rank(ip);
        return Some((rank, Choice { address: ExternalAddress::Ip(ip), reason }));
    }
    let name = ingress.hostname.clone().filter(|name| !name.is_empty())?;
    let reason = "the load balancer publishes a name";
    Some((Rank::Name, Choice { address: ExternalAddress::Name(name), reason }))
}

fn rank(ip: IpAddr) -> (Rank, &'static str) {
    match ip {
        IpAddr::V4(v4) if v4.is_private() || v4.is_link_local() || v4.is_loopback() => {
            (Rank::PrivateV4, "the load balancer's private IPv4 address: reachable inside its network only")
        }
        IpAddr::V4(_) => (Rank::PublicV4, "the load balancer's IPv4 address"),
        IpAddr::V6(_) => (Rank::V6, "the load balancer's IPv6 address: clients must use EPSV"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn service(kind: &str, ingress: &[Value]) -> Service {
        let service = json!({"spec": {"type": kind}, "status": {"loadBalancer": {"ingress": ingress}}});
        serde_json::from_value(service).unwrap()
    }

    fn chosen(ingress: &[Value]) -> Option<String> {
        choose(&service("LoadBalancer", ingress)).map(|choice| choice.address.to_string())
    }

    #[test]
    fn a_service_without_a_usable_entry_has_no_address() {
        assert_eq!(choose(&Service::default()), None);
        assert_eq!(chosen(&[]), None);
        assert_eq!(chosen(&[json!({"ip": "not an address", "hostname": ""})]), None);
    }

    #[test]
    fn a_public_ipv4_address_wins_wherever_it_stands() {
        let all = [
            json!({"hostname": "lb.example.org"}),
            json!({"ip": "2001:db8::1"}),
            json!({"ip": "10.0.0.1"}),
            json!({"ip": "203.0.113.7"}),
        ];
        assert_eq!(chosen(&all).as_deref(), Some("203.0.113.7"));
        assert_eq!(chosen(&all[..3]).as_deref(), Some("10.0.0.1"));
        assert_eq!(chosen(&all[..2]).as_deref(), Some("2001:db8::1"));
        assert_eq!(chosen(&all[..1]).as_deref(), Some("lb.example.org"));
    }

    #[test]
    fn of_two_equals_the_first_published_stays() {
        assert_eq!(
            chosen(&[json!({"ip": "203.0.113.8"}), json!({"ip": "203.0.113.7"})]).as_deref(),
            Some("203.0.113.8")
        );
    }

    #[test]
    fn an_address_published_for_an_earlier_type_of_the_service_is_not_its_own() {
        for kind in ["NodePort", "ClusterIP"] {
            assert_eq!(choose(&service(kind, &[json!({"ip": "203.0.113.7"})])), None, "{kind}");
        }
        let mut untyped = service("LoadBalancer", &[json!({"ip": "203.0.113.7"})]);
        untyped.spec = None;
        assert_eq!(choose(&untyped), None);
    }
}
