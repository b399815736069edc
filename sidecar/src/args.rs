//! Where things lie: the operator's paths unless a test or a developer says otherwise.

use std::path::PathBuf;

use safetp_config::paths;

/// The gateway of a SafeTP pod: ends the security, announces the learned address, relays to the ftpd.
#[derive(Clone, Debug, clap::Parser)]
#[command(name = "safetp-sidecar", version)]
pub struct Args {
    /// Directory with gateway.json, tls.crt and tls.key.
    #[arg(long, env = "SAFETP_GATEWAY_DIR", default_value = paths::GATEWAY_DIR)]
    pub gateway_dir: PathBuf,
    /// Directory with the pod's annotations, for addresses that are a node's.
    #[arg(long, env = "SAFETP_POD_INFO_DIR", default_value = paths::POD_INFO_DIR)]
    pub pod_info_dir: PathBuf,
    /// Write the log as JSON, one object a line.
    #[arg(long, env = "SAFETP_LOG_JSON")]
    pub log_json: bool,
}
