//! The pod's volumes, and which of its containers mounts which.

use k8s_openapi::api::core::v1::{
    ConfigMapProjection, DownwardAPIProjection, DownwardAPIVolumeFile, DownwardAPIVolumeSource, EmptyDirVolumeSource,
    KeyToPath, ObjectFieldSelector, PersistentVolumeClaimVolumeSource, ProjectedVolumeSource, SecretProjection,
    ServiceAccountTokenProjection, Volume, VolumeMount, VolumeProjection,
};
use safetp_config::{gateway::AddressSource, paths};

use super::inputs::BuildInputs;
use crate::server::validate::Storage;

const DATA: &str = "data";
const RUN: &str = "run";
const GATEWAY: &str = "gateway";
const FTPD: &str = "ftpd";
const POD_INFO: &str = "pod-info";
const TOKEN: &str = "token";

/// Readable by the owner and the pod's group only.
const MODE: i32 = 0o440;
const TOKEN_SECONDS: i64 = 3600;

pub fn build_ftpd_mounts() -> Vec<VolumeMount> {
    vec![mount(DATA, paths::DATA_DIR, false), mount(RUN, paths::RUN_DIR, false), mount(FTPD, paths::FTPD_DIR, true)]
}

pub fn build_gateway_mounts(inputs: &BuildInputs<'_>) -> Vec<VolumeMount> {
    let always = [
        // Connecting to a socket writes nothing.
        mount(RUN, paths::RUN_DIR, true),
        mount(GATEWAY, paths::GATEWAY_DIR, true),
        mount(POD_INFO, paths::POD_INFO_DIR, true),
    ];
    let token = needs_token(inputs).then(|| mount(TOKEN, paths::TOKEN_DIR, true));
    always.into_iter().chain(token).collect()
}

pub fn build_volumes(inputs: &BuildInputs<'_>) -> Vec<Volume> {
    let names = &inputs.server.names;
    let dsa = inputs.signing_key.map(|key| secret(key.secret.clone(), &[paths::DSA_KEY_FILE]));
    let gateway = [
        config_map(names.gateway(), &[(paths::GATEWAY_FILE, paths::GATEWAY_FILE)]),
        secret(inputs.certificate.secret.clone(), &[paths::CERTIFICATE_FILE, paths::PRIVATE_KEY_FILE]),
    ];
    let always = [
        data(inputs),
        Volume { name: RUN.to_owned(), empty_dir: Some(EmptyDirVolumeSource::default()), ..Volume::default() },
        // One projected volume for each container: its files change together.
        projected(GATEWAY, gateway.into_iter().chain(dsa).collect()),
        projected(FTPD, vec![secret(names.users(), &[paths::FTPD_FILE, paths::USERS_FILE])]),
        pod_info(),
    ];
    let token = needs_token(inputs).then(token);
    always.into_iter().chain(token).collect()
}

fn needs_token(inputs: &BuildInputs<'_>) -> bool {
    matches!(inputs.addressing.source, AddressSource::Service { .. })
}

fn mount(name: &str, path: &str, read_only: bool) -> VolumeMount {
    VolumeMount {
        name: name.to_owned(),
        mount_path: path.to_owned(),
        read_only: read_only.then_some(true),
        ..VolumeMount::default()
    }
}

fn data(inputs: &BuildInputs<'_>) -> Volume {
    let claim = |claim_name: String| PersistentVolumeClaimVolumeSource { claim_name, ..Default::default() };
    let mut volume = Volume { name: DATA.to_owned(), ..Volume::default() };
    match &inputs.server.storage {
        Storage::Claim(_) => volume.persistent_volume_claim = Some(claim(inputs.server.names.claim())),
        Storage::Existing(name) => volume.persistent_volume_claim = Some(claim(name.clone())),
        Storage::EmptyDir(size) => {
            volume.empty_dir =
                Some(EmptyDirVolumeSource { size_limit: size.clone(), ..EmptyDirVolumeSource::default() });
        }
    }
    volume
}

fn pod_info() -> Volume {
    let file = DownwardAPIVolumeFile {
        path: paths::ADDRESS_FILE.to_owned(),
        field_ref: Some(ObjectFieldSelector {
            field_path: format!("metadata.annotations['{}']", paths::ADDRESS_ANNOTATION),
            ..ObjectFieldSelector::default()
        }),
        ..DownwardAPIVolumeFile::default()
    };
    let source = DownwardAPIVolumeSource { items: Some(vec![file]), default_mode: Some(MODE) };
    Volume { name: POD_INFO.to_owned(), downward_api: Some(source), ..Volume::default() }
}

fn token() -> Volume {
    let token = VolumeProjection {
        service_account_token: Some(ServiceAccountTokenProjection {
            path: "token".to_owned(),
            expiration_seconds: Some(TOKEN_SECONDS),
            ..ServiceAccountTokenProjection::default()
        }),
        ..VolumeProjection::default()
    };
    let namespace = DownwardAPIVolumeFile {
        path: "namespace".to_owned(),
        field_ref: Some(ObjectFieldSelector {
            field_path: "metadata.namespace".to_owned(),
            ..ObjectFieldSelector::default()
        }),
        ..DownwardAPIVolumeFile::default()
    };
    let namespace = VolumeProjection {
        downward_api: Some(DownwardAPIProjection { items: Some(vec![namespace]) }),
        ..VolumeProjection::default()
    };
    let authority = config_map("kube-root-ca.crt".to_owned(), &[("ca.crt", "ca.crt")]);
    projected(TOKEN, vec![token, authority, namespace])
}

fn projected(name: &str, sources: Vec<VolumeProjection>) -> Volume {
    let source = ProjectedVolumeSource { sources: Some(sources), default_mode: Some(MODE) };
    Volume { name: name.to_owned(), projected: Some(source), ..Volume::default() }
}

fn config_map(name: String, items: &[(&str, &str)]) -> VolumeProjection {
    let items = items.iter().map(|(key, path)| item(key, path)).collect();
    let source = ConfigMapProjection { name, items: Some(items), ..ConfigMapProjection::default() };
    VolumeProjection { config_map: Some(source), ..VolumeProjection::default() }
}

fn secret(name: String, keys: &[&str]) -> VolumeProjection {
    let items = keys.iter().map(|key| item(key, key)).collect();
    let source = SecretProjection { name, items: Some(items), ..SecretProjection::default() };
    VolumeProjection { secret: Some(source), ..VolumeProjection::default() }
}

fn item(key: &str, path: &str) -> KeyToPath {
    KeyToPath { key: key.to_owned(), path: path.to_owned(), ..KeyToPath::default() }
}
