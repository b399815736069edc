use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::Permission;

/// Active mode (PORT and EPRT): the server dials the client. Clients and their firewalls expect that from the very
/// address that they dialled, so it works only where the pod's connections leave by it. Switching it on or off replaces
/// the pod: a gateway that starts without it gives up dialling clients for good.
#[derive(KubeSchema, Clone, Debug, Default, Serialize, Deserialize)]
#[x_kube(validation = Rule::new("self.enabled || self.clearPort == 'Denied'").message(
    "activeMode.clearPort: Allowed needs activeMode.enabled: true"
))]
#[serde(rename_all = "camelCase")]
pub struct ActiveMode {
    /// Whether PORT and EPRT are accepted, to the client's own address and ports from 1024 on.
    #[serde(default)]
    pub enabled: bool,
    /// Whether PORT and EPRT are accepted in the clear, so that the firewall on the client's side can read them: inside
    /// a session under X-SafeTP1, and under TLS after CCC, which `security.clearCommandChannel` must allow. The data
    /// connection stays protected.
    #[serde(default)]
    pub clear_port: Permission,
    /// Your word that connections from the pod leave the cluster by the load balancer's address. Without an egress
    /// gateway they leave by the node's.
    #[serde(default)]
    pub egress_by_service_address: bool,
}
