//! `gateway.json`: all that a gateway must know and cannot learn by itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{ConfigError, paths, ports::PortRange};

/// The whole file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GatewayConfig {
    /// `namespace/name` of the SafeTPServer, for logs and the greeting of no one.
    pub server: String,
    /// The port that the gateway listens on for control connections inside the pod.
    pub listen_port: u16,
    /// The port of metrics, health and status, on the pod network, plain HTTP.
    pub admin_port: u16,
    /// This replica's data ports: announced, exposed and listened on are one number.
    pub data_ports: PortRange,
    /// Where the external address comes from.
    pub address: AddressSource,
    /// Whether the address that a connection comes from is known to be its client's own: no proxy and no other node of
    /// the cluster lies between.
    #[serde(default)]
    pub real_client_addresses: bool,
    /// What a client must do before it may do anything else.
    pub security: Security,
    /// The server behind the gateway.
    pub backend: Backend,
    /// Upper bounds on what strangers can make the gateway do.
    pub limits: Limits,
    /// How uploads end.
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

/// Where the gateway learns the address that it announces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "camelCase", deny_unknown_fields)]
pub enum AddressSource {
    /// From the status of this Service, watched by the gateway itself.
    Service {
        /// The Service's name, in the pod's namespace.
        name: String,
        /// The pod's namespace.
        namespace: String,
    },
    /// From the file that the kubelet makes of [`paths::ADDRESS_ANNOTATION`].
    PodAnnotation,
    /// Stated by the user: an address or a DNS name.
    Pinned {
        /// An IP address or a DNS name, resolved again while running.
        address: String,
    },
}

/// What protects the channels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Security {
    /// The mechanisms that AUTH offers, in the order of FEAT.
    pub mechanisms: Vec<Mechanism>,
    /// Whether commands must come over a protected control channel.
    pub control: Requirement,
    /// Whether data connections must be protected (PROT P).
    pub data: Requirement,
    /// How strictly a data connection must prove that it belongs to its session.
    pub data_binding: DataBinding,
    /// Whether CCC (RFC 2228) may take the protection off a control channel under TLS.
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

/// Whether protection may be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Requirement {
    /// Nothing but the way into protection works without it.
    Required,
    /// The client decides.
    Optional,
}

/// How a data connection proves its session (by TLS resumption, or by its peer address).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DataBinding {
    /// The TLS session must be resumed on every protected data connection.
    Required,
    /// A client that surely has a ticket must resume its TLS session; for others the peer address must equal the control
    /// connection's.
    WhenOffered,
    /// Only the data port itself tells sessions apart.
    Never,
}

/// The server behind the gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", deny_unknown_fields)]
pub enum Backend {
    /// The embedded ftpd on its Unix socket, which hands over descriptors (see [`crate::ftpd`]).
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
    /// Sessions at once that have logged in from one peer address; 0 is no limit, for many clients share one NAT address.
    pub sessions_per_peer: u32,
    /// Seconds without a command or transfer until 421.
    pub idle_seconds: u32,
    /// Seconds from the client's first octet to a finished login.
    pub login_seconds: u32,
    /// Seconds in which a data connection must come, and over which it must then move at least so many octets a second
    /// on average as `safetp_protocol::pace::LEAST_RATE` says.
    pub data_seconds: u32,
}

/// How uploads end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Uploads {
    /// Whether an upload over TLS that ends without `close_notify` is a truncated one (426, nothing stored).
    pub require_close_notify: bool,
    /// Logins for which that is otherwise.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub logins: BTreeMap<String, bool>,
}

impl Uploads {
    /// Whether uploads of this login must end with `close_notify`.
    pub fn require_close_notify_of(&self, login: &str) -> bool {
        self.logins.get(login).copied().unwrap_or(self.require_close_notify)
    }
}

/// Active mode: the gateway dials the client's data port, on the control connection's peer address only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ActiveMode {
    /// Whether PORT and EPRT are taken in the clear, so that a firewall at the client's side can read them: inside a
    /// session under X-SafeTP1, and under TLS behind CCC. The data connection stays as protected as it was asked for.
    pub clear_port: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_is_read() {
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
    fn what_is_said_of_a_login_comes_before_what_is_said_of_all() {
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
