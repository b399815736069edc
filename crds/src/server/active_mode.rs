//! `spec.activeMode`: data connections from the server to the client.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::Permission;

/// Active mode (PORT and EPRT): the server opens data connections to the client. Clients and their firewalls expect
/// them from the address that they connected to, so it works only where the pod's connections leave by that address.
#[derive(KubeSchema, Clone, Debug, Default, Serialize, Deserialize)]
#[x_kube(validation = Rule::new("self.enabled || self.clearPort == 'Denied'").message(
    "activeMode.clearPort: Allowed needs active mode; set activeMode.enabled: true"
))]
#[serde(rename_all = "camelCase")]
pub struct ActiveMode {
    /// If true, PORT and EPRT are accepted, to the client's own address and ports from 1024 up. A change replaces the
    /// pod, because a gateway that starts without active mode gives up the right to open connections. Default: false.
    #[serde(default)]
    pub enabled: bool,
    /// Permission to send PORT and EPRT in the clear, so that a firewall on the client's side can read them: in a
    /// session under X-SafeTP1, and under TLS after CCC, which `security.clearCommandChannel` must allow. The data
    /// connection remains protected. Default: `Denied`.
    #[serde(default)]
    pub clear_port: Permission,
    /// Confirms that connections from the pod leave the cluster from the load balancer's address. Without an egress
    /// gateway they leave from the node's. Default: false.
    #[serde(default)]
    pub egress_by_service_address: bool,
}
