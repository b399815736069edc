//! `spec.dataPorts`: the range of ports for data connections.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// Ports of data connections. The port that is announced, exposed and listened on is always the same number.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[x_kube(validation = Rule::new("!has(self.first) || !has(self.last) || self.first <= self.last").message(
    "dataPorts.first is higher than dataPorts.last; swap the two"
))]
#[x_kube(validation = Rule::new(
    "!has(self.first) || !has(self.last) || self.first > self.last || self.last - self.first + 1 >= self.perReplica"
).message("dataPorts.perReplica does not fit between first and last; set a smaller perReplica or a higher last"))]
#[x_kube(validation = Rule::new("!has(self.first) || self.first + self.perReplica - 1 <= 65535").message(
    "dataPorts extends beyond port 65535; set a lower first or a smaller perReplica"
))]
#[serde(rename_all = "camelCase")]
pub struct DataPorts {
    /// Lowest data port. Default: 28000. With `exposure.type: NodePort` the lowest port that the server's block may
    /// use, and the default is the start of the cluster's range of node ports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new("self >= 1024 && self <= 65535").message(
        "dataPorts.first must be from 1024 to 65535, because firewalls and clients refuse lower data ports; set for \
         example dataPorts.first: 28000"
    ))]
    pub first: Option<i32>,
    /// Number of data ports of a pod. A port is held only while a client connects, so 20 serve thousands of clients.
    /// Default: 20.
    #[serde(default = "twenty")]
    #[x_kube(validation = Rule::new("self >= 1 && self <= 1000").message(
        "dataPorts.perReplica must be from 1 to 1000; set for example dataPorts.perReplica: 20"
    ))]
    pub per_replica: i32,
    /// Last port of the range that the firewall reserves; no pod uses a higher one. Default: the last port in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new("self >= 1024 && self <= 65535").message(
        "dataPorts.last must be from 1024 to 65535, because firewalls and clients refuse lower data ports; set for \
         example dataPorts.last: 28999"
    ))]
    pub last: Option<i32>,
}

impl Default for DataPorts {
    fn default() -> Self {
        Self { first: None, per_replica: twenty(), last: None }
    }
}

fn twenty() -> i32 {
    20
}
