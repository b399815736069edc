//! Paths inside the pod, which the operator mounts and the programs open, and the annotations on it.

/// The gateway's projected volume: one directory, so that its files change together (the kubelet swaps one link).
pub const GATEWAY_DIR: &str = "/etc/safetp/gateway";
/// [`crate::gateway::GatewayConfig`] as JSON, from a ConfigMap.
pub const GATEWAY_FILE: &str = "gateway.json";
/// The certificate chain, PEM, from a Secret.
pub const CERTIFICATE_FILE: &str = "tls.crt";
/// Its private key, PEM, from the same Secret.
pub const PRIVATE_KEY_FILE: &str = "tls.key";
/// The DSA key of X-SafeTP1, PKCS#8 in PEM, from a Secret of its own; present only where the mechanism is listed.
pub const DSA_KEY_FILE: &str = "dsa.key";

/// The ftpd's projected volume.
pub const FTPD_DIR: &str = "/etc/safetp/ftpd";
/// [`crate::ftpd::FtpdConfig`] as JSON, from the users' Secret.
pub const FTPD_FILE: &str = "ftpd.json";
/// [`crate::ftpd::Users`] as JSON, from the users' Secret.
pub const USERS_FILE: &str = "users.json";

/// The shared `emptyDir` of gateway and ftpd, mode 0770.
pub const RUN_DIR: &str = "/run/safetp";
/// The ftpd's Unix socket in [`RUN_DIR`].
pub const FTPD_SOCKET: &str = "/run/safetp/ftpd.sock";

/// The users' files: the volume as the ftpd sees it. The gateway has no such mount.
pub const DATA_DIR: &str = "/srv/ftp";

/// The downward-API volume of the gateway.
pub const POD_INFO_DIR: &str = "/etc/safetp/pod";
/// The file in [`POD_INFO_DIR`] that carries [`ADDRESS_ANNOTATION`]; empty while the pod has none.
pub const ADDRESS_FILE: &str = "address";

/// The token with which the gateway watches its own Service, at the path where every Kubernetes client library looks.
pub const TOKEN_DIR: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// Annotation on the pod: the address of its node, written by the operator where the address is a node's.
pub const ADDRESS_ANNOTATION: &str = "safetp.io/address";
/// Annotation in the pod's template where active mode is on. No program reads it: a gateway is shut in before it
/// serves, so only a new pod can begin to dial clients, and a changed template creates one.
pub const ACTIVE_MODE_ANNOTATION: &str = "safetp.io/active-mode";
/// Annotation on the pod: the digest of everything mounted. Its change makes the kubelet refresh the volumes at once
/// instead of at its next periodic sync, a minute later.
pub const CONFIG_ANNOTATION: &str = "safetp.io/config-digest";
