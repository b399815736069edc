//! The configuration of a pod's gateway.

use std::path::Path;

use rand::Rng as _;
use safetp_config::{
    gateway::{AddressSource, Backend, GatewayConfig, Limits},
    ports::PortRange,
};
use safetp_protocol::session::Announced;

use crate::ADDRESS;

/// An address for [`GatewayConfig::address`], which the pod then announces.
pub fn pinned(address: &str) -> AddressSource {
    AddressSource::Pinned { address: address.into() }
}

/// An address as [`crate::Pod::address`] takes it.
pub fn announced(address: &str) -> Announced {
    Announced { text: address.into(), v4: address.parse().ok(), v6: address.parse().ok() }
}

/// The example with shorter limits, over four data ports chosen at random: whether they are free shows only when they
/// are bound.
pub(crate) fn usual(socket: &Path) -> GatewayConfig {
    let first = rand::rng().random_range(10_000..30_000);
    let example = GatewayConfig::example();
    GatewayConfig {
        listen_port: 0,
        admin_port: 0,
        data_ports: PortRange::new(first, first + 3).unwrap(),
        address: pinned(ADDRESS),
        backend: Backend::Embedded { socket: socket.to_str().unwrap().into() },
        limits: Limits { sessions: 1000, idle_seconds: 60, data_seconds: 30, ..example.limits },
        drain_seconds: 30,
        ..example
    }
}

/// The address that is announced from the start, if it is pinned.
pub(crate) fn first_announced(config: &GatewayConfig) -> Option<Announced> {
    match &config.address {
        AddressSource::Pinned { address } => Some(announced(address)),
        AddressSource::Service { .. } | AddressSource::PodAnnotation => None,
    }
}
