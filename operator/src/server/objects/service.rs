//! The Service, through which clients reach every port.

use k8s_openapi::{
    api::core::v1::{Service, ServicePort, ServiceSpec},
    apimachinery::pkg::util::intstr::IntOrString,
};

use super::inputs::BuildInputs;
use crate::server::decide::ports::{CONTROL_PORT_NAME, data_port_name};

/// One Service with all ports, so that control and data have one address. A port leads only to pods that declare a port
/// of its name.
pub fn build_service(inputs: &BuildInputs<'_>) -> Service {
    let exposure = &inputs.server.exposure;
    let mut metadata = inputs.meta(inputs.server.names.service());
    metadata.annotations = Some(exposure.annotations.clone()).filter(|all| !all.is_empty());
    let mut spec = ServiceSpec {
        selector: Some(inputs.server.names.selector()),
        ports: Some(ports(inputs)),
        external_traffic_policy: Some(exposure.external_traffic_policy.as_str().to_owned()),
        ..ServiceSpec::default()
    };
    if inputs.ports.on_nodes {
        spec.type_ = Some("NodePort".to_owned());
    } else {
        spec.type_ = Some("LoadBalancer".to_owned());
        spec.allocate_load_balancer_node_ports = Some(exposure.allocate_load_balancer_node_ports);
        spec.load_balancer_class.clone_from(&exposure.load_balancer_class);
        spec.load_balancer_source_ranges =
            Some(exposure.load_balancer_source_ranges.clone()).filter(|all| !all.is_empty());
    }
    Service { metadata, spec: Some(spec), ..Service::default() }
}

fn ports(inputs: &BuildInputs<'_>) -> Vec<ServicePort> {
    let control = port(inputs, CONTROL_PORT_NAME.to_owned(), inputs.ports.control);
    let data = inputs.ports.data.ports().map(|number| port(inputs, data_port_name(number), number));
    [control].into_iter().chain(data).collect()
}

fn port(inputs: &BuildInputs<'_>, name: String, number: u16) -> ServicePort {
    ServicePort {
        target_port: Some(IntOrString::String(name.clone())),
        name: Some(name),
        port: i32::from(number),
        protocol: Some("TCP".to_owned()),
        node_port: inputs.ports.on_nodes.then_some(i32::from(number)),
        ..ServicePort::default()
    }
}
