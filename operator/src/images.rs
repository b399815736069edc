//! The images of the pods.

/// What the pods run. Set by the chart, which the default values equal.
#[derive(Clone, Debug, clap::Args)]
pub struct Images {
    /// The image of the gateway.
    #[arg(long, env = "SAFETP_GATEWAY_IMAGE", default_value = concat!("ghcr.io/safetp/safetp-sidecar:", env!("CARGO_PKG_VERSION")))]
    pub gateway_image: String,
    /// The image of the embedded ftpd.
    #[arg(long, env = "SAFETP_FTPD_IMAGE", default_value = concat!("ghcr.io/safetp/safetp-ftpd:", env!("CARGO_PKG_VERSION")))]
    pub ftpd_image: String,
    /// `imagePullPolicy` of both.
    #[arg(long, env = "SAFETP_IMAGE_PULL_POLICY", default_value = "IfNotPresent")]
    pub image_pull_policy: String,
}
