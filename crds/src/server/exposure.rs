//! `spec.exposure`: the Service and the address by which clients reach the server.

use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Way by which clients reach the server.
#[derive(KubeSchema, Clone, Debug, Default, Serialize, Deserialize)]
#[x_kube(validation = Rule::new("self.type == 'LoadBalancer' || !has(self.loadBalancerClass)").message(
    "exposure.loadBalancerClass needs exposure.type: LoadBalancer; set that, or leave loadBalancerClass out"
))]
#[x_kube(validation = Rule::new("self.type == 'LoadBalancer' || !has(self.loadBalancerSourceRanges)").message(
    "exposure.loadBalancerSourceRanges needs exposure.type: LoadBalancer; with NodePort restrict the clients by a \
     firewall or a NetworkPolicy"
))]
#[serde(rename_all = "camelCase")]
pub struct Exposure {
    /// Type of the Service: `LoadBalancer`, with an address of its own, or `NodePort`, with the address of the pod's
    /// node and a block of node ports. Default: `LoadBalancer`.
    #[serde(rename = "type", default)]
    pub kind: ExposureType,
    /// Address that clients are told, an IP address or a DNS name without a port, where the cluster cannot know it.
    /// Default: the address that the load balancer publishes; with `NodePort` the address of the pod's node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new(
        "isIP(self) || (self.matches('^([A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?[.])*\
         [A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?$') && !self.matches('(^|[.])[0-9]+$'))"
    ).message(
        "exposure.address must be an IP address or a DNS name, without a port; set for example \
         exposure.address: 203.0.113.7 or ftp.example.org"
    ))]
    #[schemars(length(max = 253))]
    pub address: Option<String>,
    /// `loadBalancerClass` of the Service. Default: the cluster's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load_balancer_class: Option<String>,
    /// Annotations of the Service, to configure the load balancer.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// Client networks that the load balancer admits, in CIDR notation. Default: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub load_balancer_source_ranges: Vec<String>,
    /// `externalTrafficPolicy` of the Service: `Local` preserves the clients' addresses; `Cluster` lets every node
    /// accept connections. Default: `Local`.
    #[serde(default)]
    pub external_traffic_policy: TrafficPolicy,
    /// If true, a Service of type LoadBalancer gets node ports too, for load balancers that need them. Default: false.
    #[serde(default)]
    pub allocate_load_balancer_node_ports: bool,
}

/// Type of the Service.
#[derive(JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExposureType {
    /// A Service of type LoadBalancer, with an address of its own.
    #[default]
    LoadBalancer,
    /// A Service of type NodePort, with the address of the pod's node and a block of node ports.
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
    /// The value of `externalTrafficPolicy` in a Service.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Local => "Local",
            Self::Cluster => "Cluster",
        }
    }
}
