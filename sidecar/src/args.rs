//! Where things lie: the operator's paths unless a test or a developer says otherwise.

use std::path::PathBuf;

use safetp_config::{gateway::GatewayConfig, paths};
use safetp_fence::Reach;

use crate::shut_in;

/// The gateway of a SafeTP pod: ends the security, announces the learned address, relays to the ftpd.
#[derive(Clone, Debug, clap::Parser)]
#[command(name = "safetp-sidecar", version)]
pub struct Args {
    /// What to do; serving, if nothing is said.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Directory with gateway.json, tls.crt and tls.key.
    #[arg(long, env = "SAFETP_GATEWAY_DIR", default_value = paths::GATEWAY_DIR, global = true)]
    pub gateway_dir: PathBuf,
    /// Directory with the pod's annotations, for addresses that are a node's.
    #[arg(long, env = "SAFETP_POD_INFO_DIR", default_value = paths::POD_INFO_DIR, global = true)]
    pub pod_info_dir: PathBuf,
    /// Write the log as JSON, one object a line.
    #[arg(long, env = "SAFETP_LOG_JSON", global = true)]
    pub log_json: bool,
}

impl Args {
    /// What a gateway that was started so can reach.
    pub fn reach(&self, config: &GatewayConfig) -> Reach {
        shut_in::reach(&self.gateway_dir, &self.pod_info_dir, config)
    }
}

/// What to do.
#[derive(Clone, Copy, Debug, Default, clap::Subcommand)]
pub enum Command {
    /// Serve until SIGTERM, then until the last session has ended.
    #[default]
    Serve,
    /// Shut this process in as the gateway of this container is, and exit 0 if it cannot get out.
    Check {
        /// The one thing that can be checked from inside; /readyz on the admin port tells the rest.
        #[arg(long, required = true)]
        shut_in: bool,
    },
}
