use std::collections::BTreeSet;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Container, PodSpec};
use safetp_config::{Digest, gateway::GatewayConfig, paths};
use serde_json::json;

use super::*;
use crate::server::{
    address::find_address,
    certificate::decide_certificate,
    gather::Gathered,
    ports::plan_ports,
    validate::{tests::server, validate},
};

fn images() -> Images {
    Images { gateway_image: "gateway:1".into(), ftpd_image: "ftpd:1".into(), image_pull_policy: "IfNotPresent".into() }
}

fn prepared(spec: serde_json::Value) -> Prepared {
    prepared_with(spec, false)
}

fn prepared_with(spec: serde_json::Value, has_pods: bool) -> Prepared {
    let server = validate(&server(spec)).unwrap();
    let addressing = find_address(&server, None, None);
    let now = Timestamp::from_second(1_800_000_000).unwrap();
    let material = decide_certificate(&server, &Gathered::default(), &addressing, now).unwrap();
    let from = Ingredients {
        server: &server,
        ports: plan_ports(&server.ports, None, &BTreeSet::new()).unwrap(),
        addressing: &addressing,
        material: &material,
        accounts: &Accounts::default(),
        images: &images(),
        has_pods,
        claim: None,
    };
    build(&from).unwrap()
}

fn object<K: Clone>(wanted: &Wanted<K>) -> Option<K> {
    match wanted {
        Wanted::Object(object) => Some(K::clone(object)),
        Wanted::Nothing | Wanted::AsItIs => None,
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
fn no_token_goes_where_the_address_comes_another_way() {
    for spec in [json!({"exposure": {"type": "NodePort"}}), json!({"exposure": {"address": "203.0.113.7"}})] {
        let prepared = prepared(spec);
        assert!(matches!((&prepared.role, &prepared.role_binding), (Wanted::Nothing, Wanted::Nothing)));
        let (_, gateway) = containers(&pod(&prepared));
        assert!(!mounted(&gateway).contains(&paths::TOKEN_DIR.to_owned()));
    }
}

#[test]
fn the_gateway_may_read_its_own_service_and_nothing_else() {
    let rules = object(&prepared(json!({})).role).unwrap().rules.unwrap();
    assert_eq!(rules.len(), 1);
    assert_eq!(rules[0].resources, Some(vec!["services".to_owned()]));
    assert_eq!(rules[0].resource_names, Some(vec!["files".to_owned()]));
    assert_eq!(rules[0].verbs, ["get", "list", "watch"]);
}

#[test]
fn the_private_key_of_the_ca_is_mounted_nowhere_and_published_nowhere() {
    let prepared = prepared(json!({}));
    assert!(!serde_json::to_string(&object(&prepared.stateful_set)).unwrap().contains("files-ca"));
    let published: Vec<_> = object(&prepared.ca).unwrap().data.unwrap().into_keys().collect();
    assert_eq!(published, ["ca.crt"]);
}

#[test]
fn the_expected_digests_are_those_of_the_written_files() {
    let prepared = prepared(json!({}));
    let config = prepared.config_map.data.unwrap().remove(paths::GATEWAY_FILE).unwrap();
    assert!(GatewayConfig::parse(config.as_bytes()).is_ok());
    let tls = object(&prepared.tls).unwrap().data.unwrap();
    let certificate = &tls[paths::CERTIFICATE_FILE].0;
    let gateway = Digest::of([(paths::GATEWAY_FILE, config.as_bytes()), (paths::CERTIFICATE_FILE, certificate)]);
    assert_eq!(prepared.expected.gateway, gateway);
}

#[test]
fn the_claim_belongs_to_the_server_only_where_it_shall_go_with_it() {
    let claim = |spec| object(&prepared(spec).claim);
    assert_eq!(claim(json!({})).unwrap().metadata.owner_references, None);
    assert!(claim(json!({"retain": "Delete"})).unwrap().metadata.owner_references.is_some());
    assert_eq!(claim(json!({"backend": {"embedded": {"existingClaim": "x"}}})), None);
}

#[test]
fn a_certificate_that_cannot_be_used_leaves_running_pods_as_they_are() {
    let spec = || json!({"security": {"certificate": {"secretRef": {"name": "gone"}}}});
    let running = prepared_with(spec(), true);
    assert!(matches!(running.stateful_set, Wanted::AsItIs) && matches!(running.tls, Wanted::AsItIs));
    let new = prepared_with(spec(), false);
    assert!(matches!(new.stateful_set, Wanted::Object(_)) && matches!(new.tls, Wanted::Nothing));
}
