//! The files that the pod mounts, and the digests that it reports once it has loaded them.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ConfigMap;
use safetp_config::{
    Digest,
    ftpd::FtpdConfig,
    gateway::{Backend, GatewayConfig, Uploads},
    paths,
    status::gateway_digest,
};
use serde::Serialize;

use super::inputs::{BuildError, BuildInputs};
use crate::server::decide::logins::SOURCES_FILE;

/// How long the part of an upload that broke off is kept.
const KEEP_PARTS_HOURS: u32 = 24;

/// The files of the pod.
pub(super) struct Files {
    pub(super) gateway: String,
    pub(super) ftpd: String,
    pub(super) users: String,
    pub(super) sources: String,
    pub(super) expected: Expected,
}

/// The digests that a pod reports once it acts on these files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Of the gateway's files.
    pub gateway: Digest,
    /// Of the ftpd's files.
    pub ftpd: Digest,
}

impl Expected {
    /// Both in one, for the annotation that makes the kubelet look.
    pub fn annotation(&self) -> String {
        let both = [("gateway", self.gateway.as_str().as_bytes()), ("ftpd", self.ftpd.as_str().as_bytes())];
        Digest::of(both).to_string()
    }
}

pub(super) fn build_files(from: &BuildInputs<'_>) -> Result<Files, BuildError> {
    let gateway = json(paths::GATEWAY_FILE, &gateway_config(from))?;
    let name_encoding = from.server.name_encoding.map(|encoding| encoding.label().to_owned());
    let ftpd = json(paths::FTPD_FILE, &FtpdConfig { keep_parts_hours: KEEP_PARTS_HOURS, name_encoding })?;
    let users = json(paths::USERS_FILE, &from.accounts.users)?;
    let sources = json(SOURCES_FILE, &from.accounts.sources)?;
    let expected = Expected {
        gateway: gateway_digest(
            gateway.as_bytes(),
            &from.certificate.pem,
            from.signing_key.and_then(|key| key.fingerprint.as_deref()),
        ),
        ftpd: Digest::of([(paths::FTPD_FILE, ftpd.as_bytes()), (paths::USERS_FILE, users.as_bytes())]),
    };
    Ok(Files { gateway, ftpd, users, sources, expected })
}

fn json(file: &'static str, value: &impl Serialize) -> Result<String, BuildError> {
    serde_json::to_string(value).map_err(|source| BuildError { file, source })
}

fn gateway_config(from: &BuildInputs<'_>) -> GatewayConfig {
    let server = from.server;
    GatewayConfig {
        server: format!("{}/{}", server.names.namespace, server.names.server),
        listen_port: from.ports.listen,
        admin_port: from.ports.admin,
        data_ports: from.ports.data,
        address: from.addressing.source.clone(),
        real_client_addresses: from.addressing.real_client_addresses,
        security: server.security.clone(),
        backend: Backend::Embedded { socket: paths::FTPD_SOCKET.to_owned() },
        limits: server.limits.clone(),
        uploads: Uploads { logins: from.accounts.close_notify.clone(), ..server.uploads.clone() },
        active_mode: server.active_mode,
        drain_seconds: server.drain_seconds,
    }
}

pub(super) fn build_config_map(from: &BuildInputs<'_>, files: &Files) -> ConfigMap {
    ConfigMap {
        metadata: from.meta(from.server.names.gateway()),
        data: Some(BTreeMap::from([(paths::GATEWAY_FILE.to_owned(), files.gateway.clone())])),
        ..ConfigMap::default()
    }
}
