//! The objects as a whole: what leads where, who may read what, and what stays as it is.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{Container, PodSpec, VolumeMount};
use safetp_config::{
    ftpd::FtpdConfig,
    gateway::{ActiveMode, DataBinding, GatewayConfig, Mechanism},
    paths,
    status::gateway_digest,
};
use serde_json::json;

use super::*;
use crate::{
    server::{
        decide::{
            signing_key::tests::{PEM, secret},
            tests::decided,
        },
        gather::Gathered,
        validate::{tests::server, validate},
    },
    signing_keys::{NewKey, inspect},
    users::logins::Accounts,
};

fn images() -> Images {
    Images { gateway_image: "gateway:1".into(), ftpd_image: "ftpd:1".into(), image_pull_policy: "IfNotPresent".into() }
}

fn prepared(spec: serde_json::Value) -> Prepared {
    prepared_with(spec, false)
}

fn prepared_with(spec: serde_json::Value, has_pods: bool) -> Prepared {
    prepared_from(spec, has_pods, &Gathered::default())
}

fn prepared_from(spec: serde_json::Value, has_pods: bool, gathered: &Gathered) -> Prepared {
    prepared_of(spec, has_pods, gathered, &Accounts::default())
}

fn prepared_of(spec: serde_json::Value, has_pods: bool, gathered: &Gathered, accounts: &Accounts) -> Prepared {
    let server = validate(&server(spec)).unwrap();
    let mut live = gathered.live.clone();
    live.stateful_set = has_pods.then(StatefulSet::default);
    build(&decided(&server, gathered, accounts.clone(), made), &live, &images()).unwrap()
}

fn made() -> NewKey {
    NewKey { pem: PEM.to_owned().into(), fingerprint: inspect(Some(PEM.as_bytes())).unwrap() }
}

fn with_safetp1() -> serde_json::Value {
    json!({"security": {"mechanisms": ["TLS", "X-SafeTP1"]}})
}

/// The Secrets in the gateway's directory, and their keys.
fn mounted_secrets(pod: &PodSpec) -> Vec<(String, Vec<String>)> {
    let volume = pod.volumes.iter().flatten().find(|volume| volume.name == "gateway").unwrap();
    let sources = volume.projected.clone().unwrap().sources.unwrap();
    let secrets = sources.into_iter().filter_map(|source| source.secret);
    secrets.map(|secret| (secret.name, secret.items.into_iter().flatten().map(|item| item.key).collect())).collect()
}

fn object<K: Clone>(wanted: &Desired<K>) -> Option<K> {
    match wanted {
        Desired::Object(object) => Some(K::clone(object)),
        Desired::Absent | Desired::Unchanged => None,
    }
}

fn pod(prepared: &Prepared) -> PodSpec {
    object(&prepared.stateful_set).unwrap().spec.clone().unwrap().template.spec.unwrap()
}

fn containers(pod: &PodSpec) -> (Container, Container) {
    (pod.init_containers.clone().unwrap().remove(0), pod.containers[0].clone())
}

fn mounted(container: &Container) -> Vec<String> {
    container.volume_mounts.iter().flatten().map(|mount| mount.mount_path.clone()).collect()
}

#[test]
fn every_port_of_the_service_leads_to_a_port_of_the_pod_by_its_name() {
    for spec in [json!({}), json!({"exposure": {"type": "NodePort"}})] {
        let prepared = prepared(spec);
        let (_, gateway) = containers(&pod(&prepared));
        let of_pod: BTreeSet<_> = gateway.ports.unwrap().into_iter().filter_map(|port| port.name).collect();
        let of_service = prepared.service.spec.unwrap().ports.unwrap();
        assert_eq!(of_service.len(), 21);
        for port in of_service {
            let name = port.name.unwrap();
            assert!(of_pod.contains(&name) && name.len() <= 15, "{name}");
        }
    }
}

#[test]
fn a_load_balancer_takes_no_node_ports_and_a_node_port_is_one_number_everywhere() {
    let balanced = prepared(json!({})).service.spec.unwrap();
    assert_eq!(balanced.allocate_load_balancer_node_ports, Some(false));
    assert!(balanced.ports.unwrap().iter().all(|port| port.node_port.is_none()));
    let prepared = prepared(json!({"exposure": {"type": "NodePort"}}));
    let on_nodes = prepared.service.spec.clone().unwrap();
    assert!(on_nodes.ports.unwrap().iter().all(|port| port.node_port == Some(port.port)));
    let (_, gateway) = containers(&pod(&prepared));
    let control = gateway.ports.unwrap().into_iter().find(|port| port.name.as_deref() == Some("control")).unwrap();
    assert_eq!(control.container_port, 30_000);
}

#[test]
fn the_pod_is_restricted_as_pod_security_asks() {
    let pod = pod(&prepared(json!({})));
    let security = pod.security_context.clone().unwrap();
    assert_eq!(security.run_as_non_root, Some(true));
    assert_eq!(security.seccomp_profile.unwrap().type_, "RuntimeDefault");
    let (ftpd, gateway) = containers(&pod);
    for container in [ftpd, gateway] {
        let security = container.security_context.unwrap();
        assert_eq!(security.allow_privilege_escalation, Some(false));
        assert_eq!(security.read_only_root_filesystem, Some(true));
        assert_eq!(security.capabilities.unwrap().drop, Some(vec!["ALL".to_owned()]));
    }
}

#[test]
fn the_gateway_does_not_run_as_the_owner_of_the_files_but_in_the_group_of_the_socket() {
    let pod = pod(&prepared(json!({})));
    let shared = pod.security_context.clone().unwrap();
    assert_eq!((shared.run_as_user, shared.run_as_group), (Some(65_532), Some(65_532)), "the sandbox needs both");
    assert_eq!(shared.fs_group, Some(65_532));
    let (ftpd, gateway) = containers(&pod);
    let user = |container: &Container| container.security_context.clone().unwrap().run_as_user.unwrap();
    assert_eq!(user(&ftpd), 65_532, "the owner of what is on every volume");
    assert_eq!(user(&gateway), 65_533);
    let read_only = |mount: &VolumeMount| mount.read_only == Some(true);
    assert!(gateway.volume_mounts.unwrap().iter().all(read_only));
}

#[test]
fn active_mode_is_written_on_the_pod_template_since_only_a_new_pod_can_dial() {
    let annotations = |spec| {
        let set = object(&prepared(spec).stateful_set).unwrap();
        set.spec.unwrap().template.metadata.unwrap().annotations.unwrap_or_default()
    };
    assert!(annotations(json!({})).is_empty());
    let active = json!({"activeMode": {"enabled": true, "egressByServiceAddress": true}});
    assert_eq!(annotations(active)[paths::ACTIVE_MODE_ANNOTATION], "true");
}

#[test]
fn the_gateway_holds_the_keys_and_no_file_and_the_ftpd_the_reverse() {
    let pod = pod(&prepared(json!({})));
    assert_eq!(pod.automount_service_account_token, Some(false));
    let (ftpd, gateway) = containers(&pod);
    assert_eq!(mounted(&ftpd), [paths::DATA_DIR, paths::RUN_DIR, paths::FTPD_DIR]);
    assert_eq!(mounted(&gateway), [paths::RUN_DIR, paths::GATEWAY_DIR, paths::POD_INFO_DIR, paths::TOKEN_DIR]);
    assert_eq!(ftpd.ports, None);
    assert_eq!(ftpd.restart_policy.as_deref(), Some("Always"), "a native sidecar");
}

#[test]
fn no_token_is_mounted_where_the_address_does_not_come_from_the_service() {
    for spec in [json!({"exposure": {"type": "NodePort"}}), json!({"exposure": {"address": "203.0.113.7"}})] {
        let prepared = prepared(spec);
        assert!(matches!((&prepared.role, &prepared.role_binding), (Desired::Absent, Desired::Absent)));
        let (_, gateway) = containers(&pod(&prepared));
        assert!(!mounted(&gateway).contains(&paths::TOKEN_DIR.to_owned()));
    }
}

#[test]
fn the_gateway_may_read_its_own_service_and_nothing_else() {
    let prepared = prepared(json!({}));
    let rules = object(&prepared.role).unwrap().rules.unwrap();
    assert_eq!(rules.len(), 1);
    assert_eq!(rules[0].resources, Some(vec!["services".to_owned()]));
    assert_eq!(rules[0].resource_names, Some(vec!["files".to_owned()]));
    assert_eq!(rules[0].verbs, ["get", "list", "watch"]);
    let binding = object(&prepared.role_binding).unwrap();
    let role = (binding.role_ref.api_group.as_deref(), &*binding.role_ref.kind, &*binding.role_ref.name);
    assert_eq!(role, (Some("rbac.authorization.k8s.io"), "Role", "files-gateway"));
    let subjects = binding.subjects.unwrap();
    assert_eq!((&*subjects[0].kind, &*subjects[0].name), ("ServiceAccount", "files-gateway"));
}

#[test]
fn the_private_key_of_the_ca_is_neither_mounted_nor_published() {
    let prepared = prepared(json!({}));
    assert!(!serde_json::to_string(&object(&prepared.stateful_set)).unwrap().contains("files-ca"));
    let published: Vec<_> = object(&prepared.ca).unwrap().data.unwrap().into_keys().collect();
    assert_eq!(published, ["ca.crt"]);
}

#[test]
fn the_expected_digests_are_those_of_the_written_files() {
    let prepared = prepared(json!({}));
    let config = object(&prepared.config_map).unwrap().data.unwrap().remove(paths::GATEWAY_FILE).unwrap();
    assert!(GatewayConfig::parse(config.as_bytes()).is_ok());
    let tls = object(&prepared.tls).unwrap().data.unwrap();
    let certificate = &tls[paths::CERTIFICATE_FILE].0;
    assert_eq!(prepared.expected.gateway, gateway_digest(config.as_bytes(), certificate, None));
}

#[test]
fn the_server_owns_its_claim_only_where_both_are_to_be_deleted_together() {
    let claim = |spec| object(&prepared(spec).claim);
    assert_eq!(claim(json!({})).unwrap().metadata.owner_references, None);
    assert!(claim(json!({"retain": "Delete"})).unwrap().metadata.owner_references.is_some());
    assert_eq!(claim(json!({"backend": {"embedded": {"existingClaim": "x"}}})), None);
}

#[test]
fn a_certificate_that_cannot_be_used_leaves_running_pods_as_they_are() {
    let spec = || json!({"security": {"certificate": {"secretRef": {"name": "gone"}}}});
    let running = prepared_with(spec(), true);
    assert!(matches!(running.stateful_set, Desired::Unchanged) && matches!(running.tls, Desired::Unchanged));
    let new = prepared_with(spec(), false);
    assert!(matches!(new.stateful_set, Desired::Object(_)) && matches!(new.tls, Desired::Absent));
}

#[test]
fn a_generated_dsa_key_is_owned_by_the_server_and_mounted_beside_the_certificate() {
    let prepared = prepared(with_safetp1());
    let secret = object(&prepared.signing_key).unwrap();
    assert_eq!(secret.metadata.name.as_deref(), Some("files-dsa"));
    assert!(secret.metadata.owner_references.is_some());
    assert_eq!(secret.data.unwrap()[paths::DSA_KEY_FILE].0, PEM.as_bytes());
    let mounted = mounted_secrets(&pod(&prepared));
    let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    let expected =
        [("files-tls".to_owned(), names(&["tls.crt", "tls.key"])), ("files-dsa".to_owned(), names(&["dsa.key"]))];
    assert_eq!(mounted, expected);
}

#[test]
fn a_dsa_key_in_the_cluster_is_neither_written_again_nor_removed() {
    let mut gathered = Gathered::default();
    gathered.live.signing_key = Some(secret(PEM));
    for spec in [with_safetp1(), json!({})] {
        assert!(matches!(prepared_from(spec, true, &gathered).signing_key, Desired::Unchanged));
    }
    let off = prepared_from(json!({}), true, &gathered);
    assert_eq!(mounted_secrets(&pod(&off)).len(), 1, "no server holds a key that it does not need");
}

#[test]
fn the_gateway_s_digest_distinguishes_dsa_keys_without_containing_them() {
    let with_key = prepared(with_safetp1());
    let config = object(&with_key.config_map).unwrap().data.unwrap().remove(paths::GATEWAY_FILE).unwrap();
    let tls = object(&with_key.tls).unwrap().data.unwrap();
    let certificate = &tls[paths::CERTIFICATE_FILE].0;
    let digest = |fingerprint: &str| gateway_digest(config.as_bytes(), certificate, Some(fingerprint));
    assert_eq!(with_key.expected.gateway, digest(&made().fingerprint));
    assert_ne!(with_key.expected.gateway, digest("SHA256:another"));
}

#[test]
fn a_dsa_key_that_cannot_be_used_leaves_running_pods_and_their_settings_as_they_are() {
    let mut spec = with_safetp1();
    spec["security"]["xSafetp1"] = json!({"keySecretRef": {"name": "mine"}});
    let mut gathered = Gathered { signing_key: Some(secret("rubbish")), ..Gathered::default() };
    let running = prepared_from(spec.clone(), true, &gathered);
    assert!(matches!((&running.stateful_set, &running.config_map), (Desired::Unchanged, Desired::Unchanged)));
    assert!(object(&running.tls).is_some(), "the certificate is renewed all the same");
    gathered.signing_key = Some(secret(PEM));
    let repaired = prepared_from(spec, true, &gathered);
    assert_eq!(mounted_secrets(&pod(&repaired))[1].0, "mine");
}

#[test]
fn the_settings_of_ccc_active_mode_and_uploads_reach_the_gateway() {
    let spec = json!({
        "security": {"mechanisms": ["TLS", "X-SafeTP1"], "clearCommandChannel": "Allowed", "dataBinding": "Required"},
        "activeMode": {"enabled": true, "clearPort": "Allowed", "egressByServiceAddress": true},
        "uploads": {"requireCloseNotify": false},
        "files": {"nameEncoding": "shift_jis"}
    });
    let config = object(&prepared(spec).config_map).unwrap().data.unwrap();
    let config = GatewayConfig::parse(config[paths::GATEWAY_FILE].as_bytes()).unwrap();
    assert_eq!(config.security.mechanisms, [Mechanism::Tls, Mechanism::SafeTp1]);
    assert!(config.security.clear_command_channel);
    assert_eq!(config.security.data_binding, DataBinding::Required);
    assert_eq!(config.active_mode, Some(ActiveMode { clear_port: true }));
    assert!(!config.uploads.require_close_notify);
}

#[test]
fn the_gateway_learns_whether_client_addresses_are_real() {
    for (policy, real) in [("Local", true), ("Cluster", false)] {
        let prepared = prepared(json!({"exposure": {"externalTrafficPolicy": policy}}));
        let config = object(&prepared.config_map).unwrap().data.unwrap();
        let config = GatewayConfig::parse(config[paths::GATEWAY_FILE].as_bytes()).unwrap();
        assert_eq!(config.real_client_addresses, real, "{policy}");
    }
}

#[test]
fn the_name_encoding_of_a_server_reaches_its_ftpd_and_utf8_is_not_written() {
    let ftpd = |spec| {
        let files = prepared(spec).users.data.unwrap();
        FtpdConfig::parse(&files[paths::FTPD_FILE].0).unwrap().name_encoding
    };
    assert_eq!(ftpd(json!({"files": {"nameEncoding": "shift_jis"}})).as_deref(), Some("shift_jis"));
    assert_eq!(ftpd(json!({"files": {"nameEncoding": "utf-8"}})), None);
    assert_eq!(ftpd(json!({})), None);
}

#[test]
fn the_close_notify_settings_of_users_reach_the_gateway() {
    let accounts = Accounts { close_notify: [("device".to_owned(), false)].into(), ..Accounts::default() };
    let prepared = prepared_of(json!({}), false, &Gathered::default(), &accounts);
    let config = object(&prepared.config_map).unwrap().data.unwrap();
    let uploads = GatewayConfig::parse(config[paths::GATEWAY_FILE].as_bytes()).unwrap().uploads;
    assert!(!uploads.require_close_notify_of("device") && uploads.require_close_notify_of("alice"));
}
