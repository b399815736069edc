//! What a pod's gateway is told.

use std::{collections::BTreeMap, path::Path};

use rand::Rng as _;
use safetp_config::{
    gateway::{AddressSource, Backend, DataBinding, GatewayConfig, Limits, Mechanism, Requirement, Security, Uploads},
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

/// What a careful administrator would write, over four data ports chosen at random: whether they are free shows only
/// when they are bound.
pub(crate) fn usual(socket: &Path) -> GatewayConfig {
    let first = rand::rng().random_range(10_000..30_000);
    GatewayConfig {
        server: "ftp/files".into(),
        listen_port: 0,
        admin_port: 0,
        data_ports: PortRange::new(first, first + 3).unwrap(),
        address: pinned(ADDRESS),
        real_client_addresses: false,
        security: Security {
            mechanisms: vec![Mechanism::Tls],
            control: Requirement::Required,
            data: Requirement::Required,
            data_binding: DataBinding::WhenOffered,
            clear_command_channel: false,
        },
        backend: Backend::Embedded { socket: socket.to_str().unwrap().into() },
        limits: Limits { sessions: 1000, sessions_per_peer: 0, idle_seconds: 60, login_seconds: 60, data_seconds: 30 },
        uploads: Uploads { require_close_notify: true, logins: BTreeMap::new() },
        active_mode: None,
        drain_seconds: 30,
    }
}

/// What is announced from the start: a pinned address.
pub(crate) fn first_announced(config: &GatewayConfig) -> Option<Announced> {
    match &config.address {
        AddressSource::Pinned { address } => Some(announced(address)),
        AddressSource::Service { .. } | AddressSource::PodAnnotation => None,
    }
}
