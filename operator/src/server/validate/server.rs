//! A server whose spec has been checked: types that cannot hold what the checks reject.

use k8s_openapi::{api::core::v1::PersistentVolumeClaimSpec, apimachinery::pkg::api::resource::Quantity};
use safetp_config::{gateway, ports::PortRange};
use safetp_crds::{
    NameEncoding,
    server::{Exposure, PodOverrides, Retain},
};

use crate::{identity::Uid, names::Names};

/// The node ports of a cluster unless `--service-node-port-range` says otherwise.
const CLUSTER_RANGE: (u16, u16) = (30_000, 32_767);

/// A server whose spec has been checked.
#[derive(Clone, Debug)]
pub struct ValidatedServer {
    pub names: Names,
    /// The owner of the server's objects.
    pub uid: Uid,
    pub generation: Option<i64>,
    /// 0 or 1.
    pub replicas: i32,
    pub exposure: Exposure,
    pub ports: PortRequest,
    pub security: gateway::Security,
    pub certificate: CertificateSource,
    /// `None` where X-SafeTP1 is not listed.
    pub signing_key: Option<KeySource>,
    /// `None` where the gateway must not open data connections.
    pub active_mode: Option<gateway::ActiveMode>,
    pub storage: Storage,
    pub retain: Retain,
    pub limits: gateway::Limits,
    /// The encoding of file names on the wire, where that is not UTF-8.
    pub name_encoding: Option<NameEncoding>,
    pub uploads: gateway::Uploads,
    /// The time that running transfers have when the pod ends.
    pub drain_seconds: u32,
    /// Additions to the pod's template.
    pub pod: PodOverrides,
}

/// Ports that the spec fixes, or a block of node ports that must be found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PortRequest {
    Fixed { control: u16, data: PortRange },
    Block(BlockRequest),
}

/// The source of the certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CertificateSource {
    /// The operator issues it.
    SelfSigned,
    /// A Secret that the user owns.
    Secret(String),
}

/// The source of the DSA key of X-SafeTP1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// The operator generates it, once.
    Generated,
    /// A Secret that the user owns.
    Secret(String),
}

/// The volume of the files.
#[derive(Clone, Debug, PartialEq)]
pub enum Storage {
    /// A claim that the operator creates.
    Claim(Box<PersistentVolumeClaimSpec>),
    /// A claim that the user owns.
    Existing(String),
    /// An emptyDir, which ends with the pod.
    EmptyDir(Option<Quantity>),
}

/// A block of contiguous node ports to look for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockRequest {
    /// Lower bound of the data ports, and of a control port that the spec does not fix.
    pub first: Option<u16>,
    /// Upper bound of the same.
    pub last: Option<u16>,
    /// The number of data ports.
    pub data: u16,
    /// The control port; without one it is the first port of the block.
    pub control: Option<u16>,
}

impl BlockRequest {
    /// The lowest and the highest port of the search.
    pub fn bounds(&self) -> (u16, u16) {
        (self.first.unwrap_or(CLUSTER_RANGE.0), self.last.unwrap_or(CLUSTER_RANGE.1))
    }

    /// The number of contiguous ports.
    pub fn size(&self) -> u16 {
        self.data.saturating_add(u16::from(self.control.is_none()))
    }
}
