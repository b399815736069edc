//! `SafeTPServer`: one FTP server at one address.

mod active_mode;
mod backend;
mod exposure;
mod limits;
mod overrides;
mod ports;
mod quantity;
mod security;

pub use active_mode::ActiveMode;
pub use backend::{Backend, EmbeddedBackend, EmptyDir, Retain};
pub use exposure::{Exposure, ExposureType, TrafficPolicy};
pub use limits::{Drain, Limits, Uploads};
pub use overrides::PodOverrides;
pub use ports::DataPorts;
pub use security::{
    Certificate, DataBinding, Mechanism, Minimum, Permission, Requirement, SecretName, Security, SelfSigned, XSafeTp1,
};

use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use crate::{files::Files, status::SafeTPServerStatus};

/// What a server should be. `spec: {}` is valid and safe: a LoadBalancer, the embedded server on a claim of 10Gi, a
/// self-signed certificate, encryption required, and nobody who can log in yet.
#[derive(CustomResource, KubeSchema, Clone, Debug, Serialize, Deserialize)]
#[kube(
    group = "safetp.io",
    version = "v1alpha1",
    kind = "SafeTPServer",
    plural = "safetpservers",
    singular = "safetpserver",
    shortname = "stp",
    category = "safetp",
    namespaced,
    status = "SafeTPServerStatus",
    doc = "A secure FTP server: one external address, one control port and a fixed range of data ports.",
    annotation("helm.sh/resource-policy", "keep"),
    scale(
        spec_replicas_path = ".spec.replicas",
        status_replicas_path = ".status.replicas",
        label_selector_path = ".status.selector"
    ),
    printcolumn(name = "Address", type_ = "string", json_path = ".status.address"),
    printcolumn(name = "Control", type_ = "integer", json_path = ".status.ports.control", description = "Control port"),
    printcolumn(name = "Data ports", type_ = "string", json_path = ".status.ports.data"),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].status"#
    ),
    printcolumn(name = "Replicas", type_ = "integer", json_path = ".status.readyReplicas"),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].reason"#,
        priority = 1
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    validation = Rule::new("self.metadata.name.size() <= 45").message(
        "metadata.name must have at most 45 characters, because the names of the Service, the claim and the pods are made from it"
    ),
    validation = Rule::new("self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')").message(
        "metadata.name must begin with a letter and hold only a-z, 0-9 and -, because a Service gets this name; type for example: files"
    )
)]
#[x_kube(validation = Rule::new(
    "self.exposure.type != 'LoadBalancer' || !has(self.controlPort) || !has(self.dataPorts.first) || self.controlPort < self.dataPorts.first || self.controlPort > (has(self.dataPorts.last) ? self.dataPorts.last : self.dataPorts.first + self.dataPorts.perReplica - 1)"
).message("controlPort lies inside dataPorts: a port can be one of the two only; leave controlPort out for port 21, or move dataPorts.first"))]
#[x_kube(validation = Rule::new(
    "!self.activeMode.enabled || self.exposure.type != 'LoadBalancer' || self.activeMode.egressByServiceAddress"
).message("activeMode needs the pod's connections to leave by the address that clients dialled, and behind a load balancer they leave by a node's; if an egress gateway sends them by the load balancer's address type activeMode.egressByServiceAddress: true, else type exposure.type: NodePort, or leave activeMode out"))]
#[x_kube(validation = Rule::new(
    "!self.activeMode.enabled || self.exposure.type != 'NodePort' || self.exposure.externalTrafficPolicy == 'Local'"
).message("activeMode under NodePort works only on the pod's own node; type exposure.externalTrafficPolicy: Local"))]
#[x_kube(validation = Rule::new(
    "self.activeMode.clearPort != 'Allowed' || self.security.clearCommandChannel == 'Allowed' || self.security.mechanisms.exists(name, name == 'X-SafeTP1')"
).message("activeMode.clearPort under TLS needs CCC before it; type security.clearCommandChannel: Allowed"))]
#[serde(rename_all = "camelCase")]
pub struct SafeTPServerSpec {
    /// How many pods serve: 1, or 0 to stop the server and keep its address and files.
    #[serde(default = "one")]
    #[x_kube(validation = Rule::new("self <= 1").message("several replicas are not supported yet; type replicas: 1, or 0 to stop the server"))]
    #[schemars(range(min = 0))]
    pub replicas: i32,
    /// How clients reach the server.
    #[serde(default)]
    pub exposure: Exposure,
    /// The port of control connections. Default: 21, and under NodePort a port of the server's own block.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new("self >= 1 && self <= 65535").message("controlPort must be from 1 to 65535; leave it out for port 21"))]
    pub control_port: Option<i32>,
    /// The ports of data connections, which a firewall must allow beside the control port.
    #[serde(default)]
    pub data_ports: DataPorts,
    /// What protects the connections.
    #[serde(default)]
    pub security: Security,
    /// Whether the server may dial the client for data.
    #[serde(default)]
    pub active_mode: ActiveMode,
    /// What keeps the files.
    #[serde(default)]
    pub backend: Backend,
    /// How files are named.
    #[serde(default)]
    pub files: Files,
    /// What happens to the claim that was made for this server when the server is deleted.
    #[serde(default)]
    pub retain: Retain,
    /// Upper bounds on what clients can make the server do.
    #[serde(default)]
    pub limits: Limits,
    /// How uploads end.
    #[serde(default)]
    pub uploads: Uploads,
    /// How a pod stops.
    #[serde(default)]
    pub drain: Drain,
    /// Additions to the pods.
    #[serde(default)]
    pub pod: PodOverrides,
}

fn one() -> i32 {
    1
}
