//! The pod: the gateway, and the ftpd as its native sidecar, in the Restricted profile of Pod Security.

use std::collections::BTreeMap;

use k8s_openapi::{
    api::core::v1::{
        Capabilities, Container, ContainerPort, ExecAction, HTTPGetAction, PodSecurityContext, PodSpec, Probe,
        ResourceRequirements, SeccompProfile, SecurityContext,
    },
    apimachinery::pkg::{api::resource::Quantity, util::intstr::IntOrString},
};

use super::{inputs::BuildInputs, volumes};
use crate::server::decide::ports::{CONTROL_PORT_NAME, data_port_name};

/// The user of the ftpd, who owns the files, as in its image.
const FTPD_UID: i64 = 65_532;
/// The user of the gateway, as in its image: a different one, who owns no file.
const GATEWAY_UID: i64 = 65_533;
/// The group of both, through which the gateway reaches the ftpd's socket and reads its own configuration.
const GROUP: i64 = 65_532;
/// The time that a pod gets beyond its drain, for the gateway's last replies and the end of the ftpd.
const MARGIN_SECONDS: i64 = 15;
const ADMIN_PORT_NAME: &str = "admin";

pub fn build_pod_spec(inputs: &BuildInputs<'_>) -> PodSpec {
    let pod = &inputs.server.pod;
    PodSpec {
        // A native sidecar: it starts before the gateway and stops after it, so that a drain ends its transfers first.
        init_containers: Some(vec![build_ftpd(inputs)]),
        containers: vec![build_gateway(inputs)],
        volumes: Some(volumes::build_volumes(inputs)),
        service_account_name: Some(inputs.server.names.gateway()),
        automount_service_account_token: Some(false),
        enable_service_links: Some(false),
        termination_grace_period_seconds: Some(i64::from(inputs.server.drain_seconds) + MARGIN_SECONDS),
        security_context: Some(pod_security()),
        node_selector: Some(pod.node_selector.clone()).filter(|all| !all.is_empty()),
        tolerations: Some(pod.tolerations.clone()).filter(|all| !all.is_empty()),
        affinity: pod.affinity.clone(),
        image_pull_secrets: Some(pod.image_pull_secrets.clone()).filter(|all| !all.is_empty()),
        priority_class_name: pod.priority_class_name.clone(),
        ..PodSpec::default()
    }
}

/// The container that holds the files. It has no port, no key and no token.
fn build_ftpd(inputs: &BuildInputs<'_>) -> Container {
    Container {
        name: "ftpd".to_owned(),
        image: Some(inputs.images.ftpd_image.clone()),
        image_pull_policy: Some(inputs.images.image_pull_policy.clone()),
        args: Some(vec!["serve".to_owned()]),
        restart_policy: Some("Always".to_owned()),
        resources: Some(requests("20m", "32Mi")),
        security_context: Some(container_security(FTPD_UID)),
        startup_probe: Some(check(1, 120)),
        liveness_probe: Some(check(30, 3)),
        volume_mounts: Some(volumes::build_ftpd_mounts()),
        ..Container::default()
    }
}

/// The container that serves the clients. It has no file of theirs.
fn build_gateway(inputs: &BuildInputs<'_>) -> Container {
    Container {
        name: "gateway".to_owned(),
        image: Some(inputs.images.gateway_image.clone()),
        image_pull_policy: Some(inputs.images.image_pull_policy.clone()),
        ports: Some(ports(inputs)),
        resources: Some(inputs.server.pod.resources.clone().unwrap_or_else(|| requests("50m", "64Mi"))),
        security_context: Some(container_security(GATEWAY_UID)),
        readiness_probe: Some(admin("/readyz", 2)),
        liveness_probe: Some(admin("/healthz", 10)),
        volume_mounts: Some(volumes::build_gateway_mounts(inputs)),
        ..Container::default()
    }
}

fn ports(inputs: &BuildInputs<'_>) -> Vec<ContainerPort> {
    let port = |name: String, number: u16| ContainerPort {
        name: Some(name),
        container_port: i32::from(number),
        protocol: Some("TCP".to_owned()),
        ..ContainerPort::default()
    };
    let own =
        [port(CONTROL_PORT_NAME.to_owned(), inputs.ports.listen), port(ADMIN_PORT_NAME.to_owned(), inputs.ports.admin)];
    own.into_iter().chain(inputs.ports.data.ports().map(|number| port(data_port_name(number), number))).collect()
}

fn check(period: i32, failures: i32) -> Probe {
    Probe {
        exec: Some(ExecAction { command: Some(vec!["/safetp-ftpd".to_owned(), "check".to_owned()]) }),
        period_seconds: Some(period),
        failure_threshold: Some(failures),
        timeout_seconds: Some(5),
        ..Probe::default()
    }
}

fn admin(path: &str, period: i32) -> Probe {
    let get = HTTPGetAction {
        path: Some(path.to_owned()),
        port: IntOrString::String(ADMIN_PORT_NAME.to_owned()),
        ..HTTPGetAction::default()
    };
    Probe {
        http_get: Some(get),
        period_seconds: Some(period),
        timeout_seconds: Some(5),
        failure_threshold: Some(3),
        ..Probe::default()
    }
}

fn requests(cpu: &str, memory: &str) -> ResourceRequirements {
    let quantities = [("cpu", cpu), ("memory", memory)];
    let quantities: BTreeMap<_, _> =
        quantities.into_iter().map(|(name, amount)| (name.to_owned(), Quantity(amount.to_owned()))).collect();
    ResourceRequirements { requests: Some(quantities), ..ResourceRequirements::default() }
}

fn pod_security() -> PodSecurityContext {
    PodSecurityContext {
        run_as_non_root: Some(true),
        // For the sandbox: containerd starts none that has a group and no user. Each container names its own.
        run_as_user: Some(FTPD_UID),
        run_as_group: Some(GROUP),
        fs_group: Some(GROUP),
        // Going through millions of files at each start would take minutes.
        fs_group_change_policy: Some("OnRootMismatch".to_owned()),
        seccomp_profile: Some(SeccompProfile { type_: "RuntimeDefault".to_owned(), ..SeccompProfile::default() }),
        ..PodSecurityContext::default()
    }
}

fn container_security(user: i64) -> SecurityContext {
    SecurityContext {
        run_as_user: Some(user),
        allow_privilege_escalation: Some(false),
        read_only_root_filesystem: Some(true),
        capabilities: Some(Capabilities { drop: Some(vec!["ALL".to_owned()]), ..Capabilities::default() }),
        ..SecurityContext::default()
    }
}
