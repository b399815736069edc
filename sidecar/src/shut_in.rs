//! The files and ports that the gateway can still reach while it serves: its configuration and keys for reading, its
//! own ports to listen on, and to dial the API server, DNS, and where active mode is on its clients. Unix sockets are
//! connected to without a right to their directory. The fences themselves are in [`safetp_fence`].
//!
//! Landlock before Linux 7.2 has no rules for UDP, so that datagrams (DNS) go anywhere.

use std::path::{Path, PathBuf};

use safetp_config::{
    gateway::{AddressSource, GatewayConfig},
    paths,
};
use safetp_fence::{Calls, Dial, Reach, Use};

/// The system calls of a relay.
pub const CALLS: Calls = Calls::Relay;

/// Files with the name servers, and with the names that need none.
const NAMES: [&str; 2] = ["/etc/resolv.conf", "/etc/hosts"];
const DNS: u16 = 53;
/// Variable that the kubelet sets in every container: the port of the API server's Service.
const API_PORT: &str = "KUBERNETES_SERVICE_PORT";

/// Files and ports that a gateway with these directories and settings can reach.
pub fn reach(gateway_dir: &Path, pod_info_dir: &Path, config: &GatewayConfig) -> Reach {
    let always = [gateway_dir.to_owned(), pod_info_dir.to_owned()];
    let token = matches!(config.address, AddressSource::Service { .. }).then(|| PathBuf::from(paths::TOKEN_DIR));
    let names = NAMES.map(PathBuf::from);
    // The directory of the settings has been read; any other that is missing is not needed and so not mounted.
    let paths = always.into_iter().chain(token).chain(names).filter(|path| path.exists());
    Reach {
        paths: paths.map(|path| (path, Use::Read)).collect(),
        listen: [config.listen_port, config.admin_port].into_iter().chain(config.data_ports.ports()).collect(),
        dial: dial(config, std::env::var(API_PORT).ok().as_deref()),
    }
}

fn dial(config: &GatewayConfig, api_port: Option<&str>) -> Dial {
    if config.active_mode.is_some() {
        return Dial::Any;
    }
    let api = match config.address {
        AddressSource::Service { .. } => api_port.and_then(|port| port.parse().ok()),
        AddressSource::PodAnnotation | AddressSource::Pinned { .. } => None,
    };
    Dial::Ports([DNS].into_iter().chain(api).collect())
}
