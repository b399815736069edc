//! The arguments that select the images of the pods.

const GATEWAY: &str = concat!("ghcr.io/safetp/safetp-sidecar:", env!("CARGO_PKG_VERSION"));
const FTPD: &str = concat!("ghcr.io/safetp/safetp-ftpd:", env!("CARGO_PKG_VERSION"));

/// Images of the pods. The chart sets them; its values equal the defaults here.
#[derive(Clone, Debug, clap::Args)]
pub struct Images {
    /// Image of the gateway in every server's pods.
    #[arg(long, env = "SAFETP_GATEWAY_IMAGE", default_value = GATEWAY)]
    pub gateway_image: String,
    /// Image of the embedded FTP server in every server's pods.
    #[arg(long, env = "SAFETP_FTPD_IMAGE", default_value = FTPD)]
    pub ftpd_image: String,
    /// Pull policy of both images, in the words of Kubernetes.
    #[arg(long, env = "SAFETP_IMAGE_PULL_POLICY", default_value = "IfNotPresent")]
    pub image_pull_policy: String,
}
