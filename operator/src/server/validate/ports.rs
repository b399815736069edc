//! The ports that a spec asks for: fixed ones behind a load balancer, or a block of node ports.

use safetp_config::ports::{PortRange, PortRangeError};
use safetp_crds::{
    SafeTPServerSpec,
    server::{DataPorts, ExposureType},
};

use super::server::{BlockRequest, PortRequest};

const DEFAULT_CONTROL_PORT: u16 = 21;
const DEFAULT_FIRST_PORT: u16 = 28_000;
const MAX_PER_REPLICA: i32 = 1000;

pub fn port_request(spec: &SafeTPServerSpec) -> Result<PortRequest, String> {
    let ports = &spec.data_ports;
    if !(1..=MAX_PER_REPLICA).contains(&ports.per_replica) {
        return Err(format!("dataPorts.perReplica is {}, but must be from 1 to {MAX_PER_REPLICA}", ports.per_replica));
    }
    let control = spec.control_port.map(|port| number(port, "controlPort")).transpose()?;
    match spec.exposure.kind {
        ExposureType::LoadBalancer => fixed_ports(control.unwrap_or(DEFAULT_CONTROL_PORT), ports),
        ExposureType::NodePort => node_ports(control, ports),
    }
}

fn fixed_ports(control: u16, ports: &DataPorts) -> Result<PortRequest, String> {
    let first = ports.first.map_or(Ok(DEFAULT_FIRST_PORT), |first| number(first, "dataPorts.first"))?;
    let last = i32::from(first) + ports.per_replica - 1;
    let last = u16::try_from(last).map_err(|_| {
        format!(
            "dataPorts would end at {last}, beyond port 65535; set a lower dataPorts.first or a smaller \
             dataPorts.perReplica"
        )
    })?;
    let data = range(first, last)?;
    let reserved = match ports.last {
        Some(end) => range(first, number(end, "dataPorts.last")?)?,
        None => data,
    };
    if reserved.last() < data.last() {
        return Err(does_not_fit(ports.per_replica, reserved));
    }
    if reserved.contains(control) {
        return Err(format!(
            "controlPort {control} lies inside dataPorts {reserved}: a port can be one of the two only; leave \
             controlPort out for port 21, or move dataPorts.first"
        ));
    }
    Ok(PortRequest::Fixed { control, data })
}

fn node_ports(control: Option<u16>, ports: &DataPorts) -> Result<PortRequest, String> {
    let first = ports.first.map(|first| number(first, "dataPorts.first")).transpose()?;
    let last = ports.last.map(|last| number(last, "dataPorts.last")).transpose()?;
    let request = BlockRequest { first, last, data: u16::try_from(ports.per_replica).unwrap_or(u16::MAX), control };
    let bounds = request.bounds();
    let bounds = range(bounds.0, bounds.1)?;
    if u32::from(bounds.count()) < u32::from(request.size()) {
        return Err(does_not_fit(ports.per_replica, bounds));
    }
    Ok(PortRequest::Block(request))
}

fn does_not_fit(per_replica: i32, bounds: PortRange) -> String {
    format!(
        "dataPorts.perReplica is {per_replica}, which does not fit into the {} ports {bounds}; set a smaller \
         dataPorts.perReplica or a higher dataPorts.last",
        bounds.count()
    )
}

fn number(port: i32, field: &str) -> Result<u16, String> {
    match u16::try_from(port) {
        Ok(0) | Err(_) => Err(format!("{field} is {port}, which is not a port; set a number from 1 to 65535")),
        Ok(port) => Ok(port),
    }
}

fn range(first: u16, last: u16) -> Result<PortRange, String> {
    PortRange::new(first, last).map_err(|error| match error {
        PortRangeError::Privileged(_) => format!("{error}; set for example dataPorts.first: {DEFAULT_FIRST_PORT}"),
        PortRangeError::Reversed { .. } => format!("{error}; exchange dataPorts.first and dataPorts.last"),
    })
}
