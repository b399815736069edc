//! The numbers of all ports of a server. Pure.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::Service;
use safetp_config::ports::PortRange;

use super::node_ports::{Block, NoBlock, pick_block};
use crate::server::{gather::node_port, validate::PortRequest};

/// The name of the control port in Service and pod.
pub const CONTROL_PORT_NAME: &str = "control";
const LISTEN: u16 = 2121;
const ADMIN: u16 = 9121;

/// The ports of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortPlan {
    /// The control port that clients dial.
    pub control: u16,
    /// The port that the gateway listens on for it.
    pub listen: u16,
    /// The data ports, which have one number in replies, Service and pod.
    pub data: PortRange,
    /// The gateway's metrics, health and status.
    pub admin: u16,
    /// True for node ports.
    pub on_nodes: bool,
}

/// The name of a data port, by its number and not by its index, since server-side apply identifies ports by number.
pub fn data_port_name(port: u16) -> String {
    format!("data-{port}")
}

/// Plans all ports. `used` are the node ports of other Services.
pub fn plan_ports(request: &PortRequest, service: Option<&Service>, used: &BTreeSet<u16>) -> Result<PortPlan, NoBlock> {
    match request {
        PortRequest::Fixed { control, data } => {
            let listen = outside(*data, LISTEN, &[]);
            let admin = outside(*data, ADMIN, &[listen]);
            Ok(PortPlan { control: *control, listen, data: *data, admin, on_nodes: false })
        }
        PortRequest::Block(request) => {
            let Block { control, data } = pick_block(request, service.and_then(current_block), used)?;
            let admin = outside(data, ADMIN, &[control]);
            Ok(PortPlan { control, listen: control, data, admin, on_nodes: true })
        }
    }
}

/// The first port from `wanted` upwards that is neither in `range` nor `taken`.
fn outside(range: PortRange, wanted: u16, taken: &[u16]) -> u16 {
    let free = |port: &u16| !range.contains(*port) && !taken.contains(port);
    (wanted..=u16::MAX).chain(1024..wanted).find(free).unwrap_or(wanted)
}

/// The block of node ports that a Service has.
fn current_block(service: &Service) -> Option<Block> {
    let spec = service.spec.as_ref().filter(|spec| spec.type_.as_deref() == Some("NodePort"))?;
    let ports: Vec<_> = spec.ports.iter().flatten().collect();
    let (control, data): (Vec<_>, Vec<_>) =
        ports.into_iter().partition(|port| port.name.as_deref() == Some(CONTROL_PORT_NAME));
    let control = control.into_iter().find_map(node_port)?;
    let data: BTreeSet<u16> = data.into_iter().filter_map(node_port).collect();
    let range = PortRange::new(*data.first()?, *data.last()?).ok()?;
    (usize::from(range.count()) == data.len()).then_some(Block { control, data: range })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixed(control: u16, first: u16, last: u16) -> PortPlan {
        let request = PortRequest::Fixed { control, data: PortRange::new(first, last).unwrap() };
        plan_ports(&request, None, &BTreeSet::new()).unwrap()
    }

    #[test]
    fn the_ports_inside_the_pod_never_collide_with_data_ports() {
        assert_eq!((fixed(21, 28_000, 28_019).listen, fixed(21, 28_000, 28_019).admin), (2121, 9121));
        assert_eq!(fixed(21, 2100, 2130).listen, 2131);
        assert_eq!(fixed(21, 9100, 9130).admin, 9131);
        let wide = fixed(21, 2000, 65_535);
        assert!(wide.listen < 2000 && wide.admin < 2000 && wide.listen != wide.admin);
    }
}
