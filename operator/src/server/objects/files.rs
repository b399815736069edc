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

/// The time for which the ftpd keeps the part of an interrupted upload.
const KEEP_PARTS_HOURS: u32 = 24;

/// The content of the files.
pub struct Files {
    pub gateway: String,
    pub ftpd: String,
    pub users: String,
    pub sources: String,
    pub expected: Expected,
}

/// The digests that a pod reports once it has loaded these files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    pub gateway: Digest,
    pub ftpd: Digest,
}

impl Expected {
    /// Both in one, for the annotation that makes the kubelet update the mounted files.
    pub fn annotation(&self) -> String {
        let both = [("gateway", self.gateway.as_str().as_bytes()), ("ftpd", self.ftpd.as_str().as_bytes())];
        Digest::of(both).to_string()
    }
}

pub fn build_files(inputs: &BuildInputs<'_>) -> Result<Files, BuildError> {
    let gateway = json(paths::GATEWAY_FILE, &gateway_config(inputs))?;
    let name_encoding = inputs.server.name_encoding.map(|encoding| encoding.label().to_owned());
    let ftpd = json(paths::FTPD_FILE, &FtpdConfig { keep_parts_hours: KEEP_PARTS_HOURS, name_encoding })?;
    let users = json(paths::USERS_FILE, &inputs.accounts.users)?;
    let sources = json(SOURCES_FILE, &inputs.accounts.sources)?;
    let expected = Expected {
        gateway: gateway_digest(
            gateway.as_bytes(),
            &inputs.certificate.pem,
            inputs.signing_key.and_then(|key| key.fingerprint.as_deref()),
        ),
        ftpd: Digest::of([(paths::FTPD_FILE, ftpd.as_bytes()), (paths::USERS_FILE, users.as_bytes())]),
    };
    Ok(Files { gateway, ftpd, users, sources, expected })
}

fn json(file: &'static str, value: &impl Serialize) -> Result<String, BuildError> {
    serde_json::to_string(value).map_err(|source| BuildError { file, source })
}

fn gateway_config(inputs: &BuildInputs<'_>) -> GatewayConfig {
    let server = inputs.server;
    GatewayConfig {
        server: server.names.server.to_string(),
        listen_port: inputs.ports.listen,
        admin_port: inputs.ports.admin,
        data_ports: inputs.ports.data,
        address: inputs.addressing.source.clone(),
        real_client_addresses: inputs.addressing.real_client_addresses,
        security: server.security.clone(),
        backend: Backend::Embedded { socket: paths::FTPD_SOCKET.to_owned() },
        limits: server.limits.clone(),
        uploads: Uploads { logins: inputs.accounts.close_notify.clone(), ..server.uploads.clone() },
        active_mode: server.active_mode,
        drain_seconds: server.drain_seconds,
    }
}

pub fn build_config_map(inputs: &BuildInputs<'_>, files: &Files) -> ConfigMap {
    ConfigMap {
        metadata: inputs.meta(inputs.server.names.gateway()),
        data: Some(BTreeMap::from([(paths::GATEWAY_FILE.to_owned(), files.gateway.clone())])),
        ..ConfigMap::default()
    }
}
