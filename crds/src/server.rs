//! `SafeTPServer`: one FTP server at one external address.

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

use crate::{NAME_MAX, files::Files, status::SafeTPServerStatus};

/// Desired state of the server. `spec: {}` is valid and safe: a LoadBalancer, the embedded server on a claim of 10Gi, a
/// self-signed certificate, encryption required, and no logins until a SafeTPUser names the server.
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
    validation = Rule::new(format!("self.metadata.name.size() <= {NAME_MAX}")).message(
        format!(
            "metadata.name must have at most {NAME_MAX} characters, because the Service, the claim and the pods \
             derive their names from it; choose a shorter name"
        )
        .as_str()
    ),
    validation = Rule::new("self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')").message(
        "metadata.name must begin with a letter, end with a letter or digit and contain only a-z, 0-9 and -, because \
         a Service gets this name; set for example metadata.name: files"
    )
)]
#[x_kube(validation = Rule::new(
    "self.exposure.type != 'LoadBalancer' || !has(self.controlPort) || !has(self.dataPorts.first) \
     || self.controlPort < self.dataPorts.first || self.controlPort > (has(self.dataPorts.last) \
     ? self.dataPorts.last : self.dataPorts.first + self.dataPorts.perReplica - 1)"
).message(
    "controlPort lies inside dataPorts, but one port cannot serve both; leave controlPort out for port 21, or set \
     another dataPorts.first"
))]
#[x_kube(validation = Rule::new(
    "!self.activeMode.enabled || self.exposure.type != 'LoadBalancer' || self.activeMode.egressByServiceAddress"
).message(
    "activeMode needs the pod's connections to leave by the address that clients connect to, and behind a load \
     balancer they leave by a node's address; if an egress gateway sends them from the load balancer's address, set \
     activeMode.egressByServiceAddress: true, else set exposure.type: NodePort, or leave activeMode out"
))]
#[x_kube(validation = Rule::new(
    "!self.activeMode.enabled || self.exposure.type != 'NodePort' || self.exposure.externalTrafficPolicy == 'Local'"
).message(
    "activeMode with exposure.type: NodePort works only on the pod's own node; set \
     exposure.externalTrafficPolicy: Local"
))]
#[x_kube(validation = Rule::new(
    "self.activeMode.clearPort != 'Allowed' || self.security.clearCommandChannel == 'Allowed' \
     || self.security.mechanisms.exists(name, name == 'X-SafeTP1')"
).message(
    "activeMode.clearPort: Allowed has no effect under TLS without CCC; set security.clearCommandChannel: Allowed"
))]
#[serde(rename_all = "camelCase")]
pub struct SafeTPServerSpec {
    /// Number of pods: 1, or 0 to stop the server and keep its address and files. Default: 1.
    #[serde(default = "one")]
    #[x_kube(validation = Rule::new("self <= 1").message(
        "several replicas are not supported yet; set replicas: 1, or 0 to stop the server"
    ))]
    #[schemars(range(min = 0))]
    pub replicas: i32,
    /// Way by which clients reach the server.
    #[serde(default)]
    pub exposure: Exposure,
    /// Port of control connections. Default: 21; with `exposure.type: NodePort` a port of the server's own block.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new("self >= 1 && self <= 65535").message(
        "controlPort must be from 1 to 65535; leave it out for port 21"
    ))]
    pub control_port: Option<i32>,
    /// Ports of data connections, which a firewall must allow in addition to the control port.
    #[serde(default)]
    pub data_ports: DataPorts,
    /// Protection of the connections.
    #[serde(default)]
    pub security: Security,
    /// Active mode (PORT and EPRT): the server opens data connections to the client. It works only where the pod's
    /// connections leave by the address that clients connect to.
    #[serde(default)]
    pub active_mode: ActiveMode,
    /// Storage of the files.
    #[serde(default)]
    pub backend: Backend,
    /// File names.
    #[serde(default)]
    pub files: Files,
    /// Reclaim policy of the claim that was created for this server, applied when the server is deleted: `Retain` keeps
    /// it for a new server of the same name, `Delete` deletes it. Default: `Retain`.
    #[serde(default)]
    pub retain: Retain,
    /// Upper bounds on the resources that clients can use.
    #[serde(default)]
    pub limits: Limits,
    /// Rules by which an upload counts as complete.
    #[serde(default)]
    pub uploads: Uploads,
    /// Shutdown of a pod.
    #[serde(default)]
    pub drain: Drain,
    /// Additions to the pods.
    #[serde(default)]
    pub pod: PodOverrides,
}

fn one() -> i32 {
    1
}
