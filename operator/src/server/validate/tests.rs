//! Specs that are accepted, and the messages about those that are not.

use safetp_config::ports::PortRange;
use safetp_crds::server::Retain;
use serde_json::{Value, json};

use super::*;

/// A server with this spec, named files in ftp.
pub fn server(spec: Value) -> SafeTPServer {
    let mut server = SafeTPServer::new("files", serde_json::from_value(spec).unwrap());
    server.metadata.namespace = Some("ftp".into());
    server.metadata.uid = Some("uid-1".into());
    server.metadata.generation = Some(1);
    server
}

fn problem(spec: Value) -> String {
    validate(&server(spec)).unwrap_err().to_string()
}

fn ports(spec: Value) -> PortRequest {
    validate(&server(spec)).unwrap().ports
}

#[test]
fn an_empty_spec_is_a_safe_server() {
    let valid = validate(&server(json!({}))).unwrap();
    assert_eq!(valid.security.control, gateway::Requirement::Required);
    assert_eq!(valid.security.data, gateway::Requirement::Required);
    assert_eq!(valid.certificate, CertificateSource::SelfSigned);
    assert_eq!(valid.retain, Retain::Retain);
    assert_eq!(valid.replicas, 1);
    let data = PortRange::new(28_000, 28_019).unwrap();
    assert_eq!(valid.ports, PortRequest::Fixed { control: 21, data });
}

#[test]
fn the_reserved_range_may_be_larger_than_what_is_used() {
    let spec = json!({"dataPorts": {"first": 28000, "perReplica": 20, "last": 28999}});
    let data = PortRange::new(28_000, 28_019).unwrap();
    assert_eq!(ports(spec), PortRequest::Fixed { control: 21, data });
}

#[test]
fn wrong_ports_are_answered_with_what_to_set() {
    assert!(problem(json!({"dataPorts": {"first": 1000}})).contains("must be 1024 or higher"));
    assert!(problem(json!({"dataPorts": {"first": 3000, "last": 2000}})).contains("exchange dataPorts.first"));
    assert!(problem(json!({"dataPorts": {"first": 3000, "last": 3004}})).contains("does not fit into the 5 ports"));
    assert!(problem(json!({"dataPorts": {"first": 65530}})).contains("beyond port 65535"));
    assert!(problem(json!({"dataPorts": {"perReplica": 0}})).contains("must be from 1 to 1000"));
    assert!(problem(json!({"controlPort": 28005})).contains("lies inside dataPorts 28000-28019"));
    assert!(problem(json!({"controlPort": 70000})).contains("which is not a port"));
    let in_reserve = json!({"controlPort": 28500, "dataPorts": {"first": 28000, "last": 28999}});
    assert!(problem(in_reserve).contains("lies inside dataPorts 28000-28999"));
}

#[test]
fn an_address_is_a_whole_ip_address_or_a_name_without_a_port() {
    for wrong in ["203.0.113.7:21", "300.1.1.1", "", "a b", "ftp..org", "-ftp.org", "ftp.org."] {
        assert!(problem(json!({"exposure": {"address": wrong}})).contains("without a port"), "{wrong}");
    }
    for right in ["203.0.113.7", "2001:db8::1", "ftp.example.org", "3com.example", "1.2.3.4.in-addr.arpa"] {
        assert!(validate(&server(json!({"exposure": {"address": right}}))).is_ok(), "{right}");
    }
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let all = problem(json!({"replicas": 2, "controlPort": 0, "security": {"mechanisms": []}}));
    for part in ["several replicas", "controlPort is 0", "mechanisms is empty"] {
        assert!(all.contains(part), "{all}");
    }
}

#[test]
fn node_ports_are_a_block_inside_the_bounds_that_were_given() {
    let spec = json!({"exposure": {"type": "NodePort"}, "dataPorts": {"first": 30100, "last": 30199}});
    let request = BlockRequest { first: Some(30_100), last: Some(30_199), data: 20, control: None };
    assert_eq!(ports(spec), PortRequest::Block(request));
    let narrow = json!({"exposure": {"type": "NodePort"}, "dataPorts": {"first": 30100, "last": 30119}});
    assert!(problem(narrow).contains("does not fit"), "the control port needs one more");
    let own =
        json!({"exposure": {"type": "NodePort"}, "controlPort": 30021, "dataPorts": {"first": 30100, "last": 30119}});
    assert!(matches!(ports(own), PortRequest::Block(_)));
}

#[test]
fn names_that_no_service_can_have_are_rejected() {
    for name in ["1files", "a.b", "-a", "a-"] {
        let mut server = server(json!({}));
        server.metadata.name = Some(name.into());
        assert!(validate(&server).is_err(), "{name}");
    }
    let mut long = server(json!({}));
    long.metadata.name = Some("a".repeat(NAME_MAX + 1));
    assert!(validate(&long).unwrap_err().to_string().contains("at most 45"));
}

#[test]
fn two_backends_for_the_files_are_rejected() {
    let both = json!({"backend": {"embedded": {"existingClaim": "a", "emptyDir": {}}}});
    assert!(problem(both).contains("keep one of them"));
}

#[test]
fn a_dsa_key_belongs_to_servers_that_offer_x_safetp1() {
    let source = |security| validate(&server(json!({"security": security}))).unwrap().signing_key;
    assert_eq!(source(json!({})), None);
    assert_eq!(source(json!({"mechanisms": ["TLS", "X-SafeTP1"]})), Some(KeySource::Generated));
    let own = json!({"mechanisms": ["X-SafeTP1"], "xSafetp1": {"keySecretRef": {"name": "mine"}}});
    assert_eq!(source(own), Some(KeySource::Secret("mine".into())));
    let unlisted = json!({"security": {"xSafetp1": {"keySecretRef": {"name": "mine"}}}});
    assert!(problem(unlisted).contains("set mechanisms: [TLS, X-SafeTP1]"));
    assert!(problem(json!({"security": {"mechanisms": ["TLS", "TLS"]}})).contains("twice"));
}

#[test]
fn ccc_is_off_unless_allowed() {
    let allowed = |spec| validate(&server(spec)).unwrap().security.clear_command_channel;
    assert!(!allowed(json!({})));
    assert!(allowed(json!({"security": {"clearCommandChannel": "Allowed"}})));
}

#[test]
fn active_mode_is_accepted_only_where_the_pod_s_connections_leave_by_the_dialled_address() {
    let active = |mode: Value, exposure: Value| validate(&server(json!({"activeMode": mode, "exposure": exposure})));
    assert_eq!(validate(&server(json!({}))).unwrap().active_mode, None);
    let enabled = json!({"enabled": true});
    let refused = active(enabled.clone(), json!({})).unwrap_err().to_string();
    assert!(refused.contains("set activeMode.egressByServiceAddress: true"), "{refused}");
    let stated = active(json!({"enabled": true, "egressByServiceAddress": true}), json!({})).unwrap();
    assert_eq!(stated.active_mode, Some(gateway::ActiveMode { clear_port: false }));
    assert!(active(enabled.clone(), json!({"type": "NodePort"})).is_ok());
    let anywhere = json!({"type": "NodePort", "externalTrafficPolicy": "Cluster"});
    assert!(active(enabled, anywhere).unwrap_err().to_string().contains("externalTrafficPolicy: Local"));
}

#[test]
fn clear_port_needs_ccc_or_x_safetp1() {
    let spec = |enabled: bool, security: Value| {
        let mode = json!({"enabled": enabled, "clearPort": "Allowed"});
        json!({"activeMode": mode, "exposure": {"type": "NodePort"}, "security": security})
    };
    assert!(problem(spec(false, json!({}))).contains("needs active mode; set activeMode.enabled: true"));
    assert!(problem(spec(true, json!({}))).contains("set security.clearCommandChannel: Allowed"));
    for security in [json!({"clearCommandChannel": "Allowed"}), json!({"mechanisms": ["TLS", "X-SafeTP1"]})] {
        let valid = validate(&server(spec(true, security))).unwrap();
        assert_eq!(valid.active_mode, Some(gateway::ActiveMode { clear_port: true }));
    }
}
