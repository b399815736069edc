use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How clients reach the server.
#[derive(KubeSchema, Clone, Debug, Default, Serialize, Deserialize)]
#[x_kube(validation = Rule::new("self.type == 'LoadBalancer' || !has(self.loadBalancerClass)").message(
    "exposure.loadBalancerClass needs exposure.type: LoadBalancer"
))]
#[x_kube(validation = Rule::new("self.type == 'LoadBalancer' || !has(self.loadBalancerSourceRanges)").message(
    "exposure.loadBalancerSourceRanges needs exposure.type: LoadBalancer; for NodePort let a firewall or a NetworkPolicy restrict the clients"
))]
#[serde(rename_all = "camelCase")]
pub struct Exposure {
    /// The kind of Service.
    #[serde(rename = "type", default)]
    pub kind: ExposureType,
    /// The address or DNS name that clients are told, where the cluster cannot know it. Default: what the load
    /// balancer publishes, or the address of the pod's node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new(
        "isIP(self) || (self.matches('^([A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?[.])*[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?$') && !self.matches('(^|[.])[0-9]+$'))"
    ).message(
        "exposure.address must be an IP address or a DNS name, without a port; type for example: 203.0.113.7 or ftp.example.org"
    ))]
    #[schemars(length(max = 253))]
    pub address: Option<String>,
    /// `loadBalancerClass` of the Service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load_balancer_class: Option<String>,
    /// Annotations of the Service, for the load balancer.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// The clients' networks, in CIDR notation, that the load balancer lets in. Default: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub load_balancer_source_ranges: Vec<String>,
    /// `Local` (default) keeps the clients' addresses; `Cluster` lets every node take connections.
    #[serde(default)]
    pub external_traffic_policy: TrafficPolicy,
    /// Whether a LoadBalancer gets node ports too: only for load balancers that cannot do without.
    #[serde(default)]
    pub allocate_load_balancer_node_ports: bool,
}

/// The kind of exposure.
#[derive(JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExposureType {
    /// A Service of type LoadBalancer: an address of its own.
    #[default]
    LoadBalancer,
    /// A Service of type NodePort: the address of the pod's node, and a block of node ports.
    NodePort,
}

/// `externalTrafficPolicy` of the Service.
#[derive(JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum TrafficPolicy {
    /// Connections arrive only at the pod's node, with the client's own address.
    #[default]
    Local,
    /// Connections arrive at any node, with that node's address.
    Cluster,
}

impl TrafficPolicy {
    /// The value in a Service.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Local => "Local",
            Self::Cluster => "Cluster",
        }
    }
}
