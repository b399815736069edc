//! `gateway.json`: everything that a gateway must know and cannot learn by itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{ConfigError, paths, ports::PortRange};

/// The whole file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GatewayConfig {
    /// `namespace/name` of the SafeTPServer: for logs only, never sent to clients.
    pub server: String,
    /// The port that the gateway listens on for control connections inside the pod.
    pub listen_port: u16,
    /// The port of metrics, health and status, on the pod network, plain HTTP.
    pub admin_port: u16,
    /// This replica's data ports: each is announced, exposed and listened on by the same number.
    pub data_ports: PortRange,
    /// Source of the external address.
    pub address: AddressSource,
    /// True if the peer address of a connection is known to be its client's own: there is no proxy and no other node of
    /// the cluster in between.
    #[serde(default)]
    pub real_client_addresses: bool,
    /// Protection that is offered and required.
    pub security: Security,
    /// The server behind the gateway.
    pub backend: Backend,
    /// Upper bounds on sessions and times.
    pub limits: Limits,
    /// Rules for the end of uploads.
    pub uploads: Uploads,
    /// Active mode (PORT and EPRT); absent: both are refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_mode: Option<ActiveMode>,
    /// Seconds that running transfers get after SIGTERM; the pod's grace period is a little longer.
    pub drain_seconds: u32,
}

impl GatewayConfig {
    /// Reads the file's bytes.
    pub fn parse(json: &[u8]) -> Result<Self, ConfigError> {
        serde_json::from_slice(json).map_err(|source| ConfigError { file: paths::GATEWAY_FILE, source })
    }

    /// A whole configuration, for tests to change: TLS and nothing else, everything protected, and the defaults of the
    /// custom resource.
    #[cfg(any(test, feature = "example"))]
    pub fn example() -> Self {
        Self {
            server: "ftp/files".into(),
            listen_port: 2121,
            admin_port: 9121,
            data_ports: PortRange::EXAMPLE,
            address: AddressSource::Service { name: "files".into(), namespace: "ftp".into() },
            real_client_addresses: false,
            security: Security {
                mechanisms: vec![Mechanism::Tls],
                control: Requirement::Required,
                data: Requirement::Required,
                data_binding: DataBinding::WhenOffered,
                clear_command_channel: false,
            },
            backend: Backend::Embedded { socket: paths::FTPD_SOCKET.into() },
            limits: Limits {
                sessions: 10_000,
                sessions_per_peer: 0,
                idle_seconds: 600,
                login_seconds: 60,
                data_seconds: 120,
            },
            uploads: Uploads { require_close_notify: true, logins: BTreeMap::new() },
            active_mode: None,
            drain_seconds: 300,
        }
    }
}

/// Source of the address that the gateway announces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "camelCase", deny_unknown_fields)]
pub enum AddressSource {
    /// The status of this Service, watched by the gateway itself.
    Service {
        /// The Service's name, in the pod's namespace.
        name: String,
        /// The pod's namespace.
        namespace: String,
    },
    /// The file in which the kubelet shows [`paths::ADDRESS_ANNOTATION`].
    PodAnnotation,
    /// An address or a DNS name, set in the spec.
    Pinned {
        /// An IP address or a DNS name, resolved again while running.
        address: String,
    },
}

/// Protection of control and data channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Security {
    /// The mechanisms that AUTH offers, in the order of FEAT.
    pub mechanisms: Vec<Mechanism>,
    /// Whether the control channel must be protected.
    pub control: Requirement,
    /// Whether data connections must be protected (PROT P).
    pub data: Requirement,
    /// The proof that a data connection belongs to its session.
    pub data_binding: DataBinding,
    /// True to let CCC (RFC 2228) end TLS on the control channel.
    #[serde(default)]
    pub clear_command_channel: bool,
}

/// A security mechanism of RFC 2228, by its AUTH name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mechanism {
    /// RFC 4217.
    #[serde(rename = "TLS")]
    Tls,
    /// Triple-DES, SHA-1 and DSA, for clients that speak nothing newer; its key is [`paths::DSA_KEY_FILE`].
    #[serde(rename = "X-SafeTP1")]
    SafeTp1,
}

/// Requirement of a protection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Requirement {
    /// Only the commands that set the protection up work without it.
    Required,
    /// The client may leave it out.
    Optional,
}

/// The proof by which a data connection belongs to its session: TLS resumption, or its peer address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DataBinding {
    /// The TLS session must be resumed on every protected data connection.
    Required,
    /// A client that surely has a ticket must resume its TLS session; for others the peer address must equal the
    /// control connection's.
    WhenOffered,
    /// None: only the data port tells sessions apart.
    Never,
}

/// The server behind the gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", deny_unknown_fields)]
pub enum Backend {
    /// The embedded ftpd on its Unix socket, which hands over descriptors (see `safetp_protocol::dialect`).
    Embedded {
        /// The socket's path.
        socket: String,
    },
}

/// Upper bounds. All of them hold per gateway, that is per replica.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Limits {
    /// Sessions at once that have logged in; one more gets 421.
    pub sessions: u32,
    /// Sessions at once that have logged in from one peer address; 0 is no limit, since many clients may share the
    /// address of a NAT.
    pub sessions_per_peer: u32,
    /// Seconds without a command or transfer after which the session gets 421.
    pub idle_seconds: u32,
    /// Seconds from the client's first octet to a finished login.
    pub login_seconds: u32,
    /// Seconds in which a data connection must come, and over which it must then move at least
    /// `safetp_protocol::pace::LEAST_RATE` octets a second on average.
    pub data_seconds: u32,
}

/// Rules for the end of uploads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Uploads {
    /// True to refuse an upload over TLS that ends without `close_notify` as truncated (426, nothing stored).
    pub require_close_notify: bool,
    /// Logins for which another value holds.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub logins: BTreeMap<String, bool>,
}

impl Uploads {
    /// The value for this login.
    pub fn require_close_notify_of(&self, login: &str) -> bool {
        self.logins.get(login).copied().unwrap_or(self.require_close_notify)
    }
}

/// Active mode: the gateway dials the client's data port, on the control connection's peer address only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ActiveMode {
    /// True to accept PORT and EPRT in the clear, so that a firewall on the client's side can read them: in a session
    /// under X-SafeTP1, and after CCC under TLS. The protection of the data connection stays as PROT has set it.
    pub clear_port: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_file_is_read_unchanged() {
        let json = serde_json::to_vec(&GatewayConfig::example()).unwrap();
        assert_eq!(GatewayConfig::parse(&json).unwrap(), GatewayConfig::example());
    }

    #[test]
    fn x_safetp1_and_active_mode_are_written_and_read_by_their_names() {
        let mut wanted = GatewayConfig::example();
        wanted.security.mechanisms.push(Mechanism::SafeTp1);
        wanted.active_mode = Some(ActiveMode { clear_port: true });
        let json = serde_json::to_value(&wanted).unwrap();
        assert_eq!(json["security"]["mechanisms"], serde_json::json!(["TLS", "X-SafeTP1"]));
        assert_eq!(json["activeMode"], serde_json::json!({"clearPort": true}));
        assert_eq!(GatewayConfig::parse(json.to_string().as_bytes()).unwrap(), wanted);
    }

    #[test]
    fn what_an_older_operator_does_not_write_is_off() {
        let mut json = serde_json::to_value(GatewayConfig::example()).unwrap();
        json["security"].as_object_mut().unwrap().remove("clearCommandChannel");
        json.as_object_mut().unwrap().remove("realClientAddresses");
        assert!(json.get("activeMode").is_none());
        assert_eq!(GatewayConfig::parse(json.to_string().as_bytes()).unwrap(), GatewayConfig::example());
    }

    #[test]
    fn the_value_of_a_login_comes_before_that_of_all() {
        let logins = BTreeMap::from([("device".to_owned(), false)]);
        let uploads = Uploads { require_close_notify: true, logins };
        assert_eq!(["device", "alice"].map(|login| uploads.require_close_notify_of(login)), [false, true]);
    }

    #[test]
    fn a_field_that_this_version_does_not_know_is_refused_with_its_name() {
        let mut json = serde_json::to_value(GatewayConfig::example()).unwrap();
        json["colour"] = "blue".into();
        let error = GatewayConfig::parse(json.to_string().as_bytes()).unwrap_err();
        assert!(error.to_string().contains("colour"), "{error}");
    }
}
