//! A server as its spec describes it, once nothing in it can be wrong.

use k8s_openapi::{api::core::v1::PersistentVolumeClaimSpec, apimachinery::pkg::api::resource::Quantity};
use safetp_config::{gateway, ports::PortRange};
use safetp_crds::{
    NameEncoding,
    server::{Exposure, PodOverrides, Retain},
};

use crate::names::Names;

/// The range that clusters have unless `--service-node-port-range` says otherwise.
const CLUSTER_RANGE: (u16, u16) = (30_000, 32_767);

/// A server whose spec holds together.
#[derive(Clone, Debug)]
pub(crate) struct ValidatedServer {
    /// Its names.
    pub names: Names,
    /// Its UID: what it makes belongs to this.
    pub uid: String,
    /// The generation of the spec.
    pub generation: Option<i64>,
    /// 0 or 1.
    pub replicas: i32,
    /// How it is reached.
    pub exposure: Exposure,
    /// Its ports, or what to look for.
    pub ports: PortRequest,
    /// What protects connections.
    pub security: gateway::Security,
    /// Where the certificate comes from.
    pub certificate: CertificateSource,
    /// Where the DSA key comes from, if X-SafeTP1 is listed.
    pub signing_key: Option<KeySource>,
    /// Whether clients are dialled.
    pub active_mode: Option<gateway::ActiveMode>,
    /// Where the files are.
    pub storage: Storage,
    /// What becomes of the claim.
    pub retain: Retain,
    /// Upper bounds.
    pub limits: gateway::Limits,
    /// How clients write names, where that is not UTF-8.
    pub name_encoding: Option<NameEncoding>,
    /// How uploads end.
    pub uploads: gateway::Uploads,
    /// Seconds for running transfers.
    pub drain_seconds: u32,
    /// Additions to the pods.
    pub pod: PodOverrides,
}

/// Ports that the user chose, or a block that has to be found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PortRequest {
    /// These.
    Fixed {
        /// The control port.
        control: u16,
        /// The data ports.
        data: PortRange,
    },
    /// Node ports, to be had from the cluster.
    Block(BlockRequest),
}

/// Where the certificate comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CertificateSource {
    /// The operator issues it.
    SelfSigned,
    /// A Secret of somebody else.
    Secret(String),
}

/// Where the DSA key of X-SafeTP1 comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeySource {
    /// The operator makes it, once.
    Generated,
    /// A Secret of somebody else.
    Secret(String),
}

/// Where the files are.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Storage {
    /// On a claim that the operator makes.
    Claim(Box<PersistentVolumeClaimSpec>),
    /// On a claim that is there.
    Existing(String),
    /// Nowhere for long.
    EmptyDir(Option<Quantity>),
}

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BlockRequest {
    /// The lowest port of the block, at least.
    pub first: Option<u16>,
    /// The highest, at most.
    pub last: Option<u16>,
    /// How many data ports.
    pub data: u16,
    /// The control port; without one it is the first of the block.
    pub control: Option<u16>,
}

impl BlockRequest {
    /// The lowest and the highest port of the search.
    pub(crate) fn bounds(&self) -> (u16, u16) {
        (self.first.unwrap_or(CLUSTER_RANGE.0), self.last.unwrap_or(CLUSTER_RANGE.1))
    }

    /// How many contiguous ports.
    pub(crate) fn size(&self) -> u16 {
        self.data.saturating_add(u16::from(self.control.is_none()))
    }
}
