use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// The ports of data connections. Announced, exposed and listened on are one number.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[x_kube(validation = Rule::new("!has(self.first) || !has(self.last) || self.first <= self.last").message(
    "dataPorts.first is higher than dataPorts.last; exchange the two"
))]
#[x_kube(validation = Rule::new(
    "!has(self.first) || !has(self.last) || self.first > self.last || self.last - self.first + 1 >= self.perReplica"
).message("dataPorts.perReplica does not fit between first and last; type a smaller perReplica or a higher last"))]
#[x_kube(validation = Rule::new("!has(self.first) || self.first + self.perReplica - 1 <= 65535").message(
    "dataPorts reach beyond port 65535; type a lower first or a smaller perReplica"
))]
#[serde(rename_all = "camelCase")]
pub struct DataPorts {
    /// The lowest data port. Default: 28000. Under NodePort the lowest port that the server's block may use; default:
    /// the cluster's range.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new("self >= 1024 && self <= 65535").message(
        "dataPorts.first must be from 1024 to 65535, because firewalls and clients refuse lower data ports; type for example: 28000"
    ))]
    pub first: Option<i32>,
    /// How many data ports a replica gets. A port is held only while a client connects, so 20 serve thousands.
    #[serde(default = "twenty")]
    #[x_kube(validation = Rule::new("self >= 1 && self <= 1000").message("dataPorts.perReplica must be from 1 to 1000; type for example: 20"))]
    pub per_replica: i32,
    /// The end of the range that the firewall reserves: replicas never go past it. Default: the last port in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new("self >= 1024 && self <= 65535").message(
        "dataPorts.last must be from 1024 to 65535, because firewalls and clients refuse lower data ports; type for example: 28999"
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
