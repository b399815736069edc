//! The command line: by default the paths that the operator mounts.

use std::path::PathBuf;

use safetp_config::{gateway::GatewayConfig, paths};
use safetp_fence::Reach;
use safetp_program::log::LogArgs;

use crate::shut_in;

/// The gateway of a SafeTP pod: terminates TLS and X-SafeTP1, announces the external address, relays to the ftpd.
#[derive(Clone, Debug, clap::Parser)]
#[command(name = "safetp-sidecar", version)]
pub struct Args {
    /// Command to run; by default `serve`.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Directory with gateway.json, tls.crt and tls.key.
    #[arg(long, env = "SAFETP_GATEWAY_DIR", default_value = paths::GATEWAY_DIR, global = true)]
    pub gateway_dir: PathBuf,
    /// Directory with the pod's annotations, in which the operator writes the node's address for `NodePort`.
    #[arg(long, env = "SAFETP_POD_INFO_DIR", default_value = paths::POD_INFO_DIR, global = true)]
    pub pod_info_dir: PathBuf,
    /// What is logged, and how.
    #[command(flatten)]
    pub log: LogArgs,
}

impl Args {
    /// Files and ports that a gateway with these directories can reach once it is shut in.
    pub fn reach(&self, config: &GatewayConfig) -> Reach {
        shut_in::reach(&self.gateway_dir, &self.pod_info_dir, config)
    }
}

/// Command to run.
#[derive(Clone, Copy, Debug, Default, clap::Subcommand)]
pub enum Command {
    /// Serve until SIGTERM, then until the last session has ended.
    #[default]
    Serve,
    /// Shut this process in as the gateway of this container is, and exit with 0 if it cannot get out.
    Check {
        /// Check the fences, the only thing that can be checked from inside; /readyz on the admin port shows the rest.
        #[arg(long, required = true)]
        shut_in: bool,
    },
}
