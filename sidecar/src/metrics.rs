//! The metrics that Prometheus scrapes.

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::{Registry, Unit},
};
use rustls::NamedGroup;
use safetp_protocol::session::{Failure, Transfer};

/// All metrics, each registered once.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    pub(crate) sessions: Gauge,
    pub(crate) strangers: Gauge,
    refused: Family<ReasonLabel, Counter>,
    logins: Family<ResultLabel, Counter>,
    transfers: Family<TransferLabels, Counter>,
    pub(crate) transfers_running: Gauge,
    received: Counter,
    sent: Counter,
    bindings: Family<BindingLabel, Counter>,
    pub(crate) data_port_waits: Counter,
    pub(crate) data_port_refusals: Counter,
    pub(crate) data_ports_queued: Gauge,
    pub(crate) stray_data_connections: Counter,
    pub(crate) tls_handshake_failures: Counter,
    tls_handshakes: Family<GroupLabel, Counter>,
    pub(crate) address_known: Gauge,
    pub(crate) certificate_expiry: Gauge,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ResultLabel {
    result: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct TransferLabels {
    verb: &'static str,
    result: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct GroupLabel {
    group: &'static str,
}

/// The evidence that a data connection is its session's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binding {
    /// A resumed TLS session.
    Resumed,
    /// The keys of X-SafeTP1.
    Keys,
    /// The gateway dialled the client.
    Dialled,
    /// The client's own address.
    Address,
    /// Only the port: other clients may have the same address.
    Weak,
}

impl Binding {
    fn name(self) -> &'static str {
        match self {
            Self::Resumed => "resumed",
            Self::Keys => "keys",
            Self::Dialled => "dialled",
            Self::Address => "address",
            Self::Weak => "weak",
        }
    }
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct BindingLabel {
    binding: &'static str,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("safetp_gateway"),
            sessions: Gauge::default(),
            strangers: Gauge::default(),
            refused: Family::default(),
            logins: Family::default(),
            transfers: Family::default(),
            transfers_running: Gauge::default(),
            received: Counter::default(),
            sent: Counter::default(),
            bindings: Family::default(),
            data_port_waits: Counter::default(),
            data_port_refusals: Counter::default(),
            data_ports_queued: Gauge::default(),
            stray_data_connections: Counter::default(),
            tls_handshake_failures: Counter::default(),
            tls_handshakes: Family::default(),
            address_known: Gauge::default(),
            certificate_expiry: Gauge::default(),
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    /// The text of `/metrics`.
    pub fn encode(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }

    pub(crate) fn refused(&self, reason: &'static str) {
        self.refused.get_or_create(&ReasonLabel { reason }).inc();
    }

    pub(crate) fn login(&self, result: &'static str) {
        self.logins.get_or_create(&ResultLabel { result }).inc();
    }

    pub(crate) fn transfer(&self, transfer: Transfer, failure: Option<Failure>, moved: u64) {
        let labels = TransferLabels { verb: transfer.verb.as_str(), result: failure.map_or("ok", Failure::name) };
        self.transfers.get_or_create(&labels).inc();
        if transfer.verb.is_upload() {
            self.received.inc_by(moved)
        } else {
            self.sent.inc_by(moved)
        };
    }

    /// Counts a handshake on a control connection by its key exchange (RFC 8446 §4.2.7).
    pub(crate) fn tls_handshake(&self, group: Option<NamedGroup>) {
        let group = group.and_then(|group| group.as_str()).unwrap_or("other");
        self.tls_handshakes.get_or_create(&GroupLabel { group }).inc();
    }

    pub(crate) fn binding(&self, binding: Binding) {
        self.bindings.get_or_create(&BindingLabel { binding: binding.name() }).inc();
    }

    /// Data connections so far with weak evidence.
    pub(crate) fn weak_bindings(&self) -> u64 {
        self.bindings.get_or_create(&BindingLabel { binding: Binding::Weak.name() }).get()
    }

    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register("sessions", "Control connections that are open", self.sessions.clone());
        registry.register(
            "strangers",
            "Control connections that are open and have not logged in",
            self.strangers.clone(),
        );
        registry.register("refused_sessions", "Control connections refused, by reason", self.refused.clone());
        registry.register("logins", "Logins by result", self.logins.clone());
        registry.register("transfers", "Transfers by command and result", self.transfers.clone());
        let help = "Transfers whose data connection is open";
        registry.register("transfers_running", help, self.transfers_running.clone());
        registry.register_with_unit("received", "Octets of uploads", Unit::Bytes, self.received.clone());
        registry.register_with_unit("sent", "Octets of downloads and listings", Unit::Bytes, self.sent.clone());
        let help = "Data connections by the evidence that they are their session's";
        registry.register("data_bindings", help, self.bindings.clone());
        let help = "PASV and EPSV requests that had to wait for a free data port";
        registry.register("data_port_waits", help, self.data_port_waits.clone());
        let help = "PASV and EPSV requests that found no free data port (425)";
        registry.register("data_port_refusals", help, self.data_port_refusals.clone());
        let help = "PASV and EPSV requests that are waiting for a free data port";
        registry.register("data_ports_queued", help, self.data_ports_queued.clone());
        let help = "Connections to data ports that were dropped because no session waited for them";
        registry.register("stray_data_connections", help, self.stray_data_connections.clone());
        let help = "TLS handshakes that failed on control connections";
        registry.register("tls_handshake_failures", help, self.tls_handshake_failures.clone());
        let help = "TLS handshakes on control connections by key exchange group";
        registry.register("tls_handshakes", help, self.tls_handshakes.clone());
        registry.register("address_known", "1 if an external address is known, else 0", self.address_known.clone());
        let help = "End of validity of the certificate in force, in Unix time";
        registry.register_with_unit("certificate_expiry", help, Unit::Seconds, self.certificate_expiry.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The page's row of each metric: the name of its first sample, that sample's labels, and the help text.
    fn rows(text: &str) -> Vec<String> {
        let mut help = None;
        let mut rows = Vec::new();
        for line in text.lines() {
            if let Some(described) = line.strip_prefix("# HELP ") {
                help = described.split_once(' ').map(|(_, help)| help);
            } else if let Some(help) = help.take_if(|_| !line.starts_with('#')) {
                let sample = line.split(' ').next().unwrap();
                let (name, labels) = sample.trim_end_matches('}').split_once('{').unwrap_or((sample, ""));
                let labels = labels.split(',').filter_map(|label| Some(format!("`{}`", label.split_once('=')?.0)));
                let labels = labels.collect::<Vec<_>>().join(", ");
                rows.push(format!("| `{}` | {labels} | {help} |", name.trim_end_matches("_sum")));
            }
        }
        rows
    }

    #[test]
    fn the_reference_page_lists_every_metric() {
        let metrics = Metrics::default();
        metrics.refused("full");
        metrics.login("ok");
        metrics.transfers.get_or_create(&TransferLabels { verb: "RETR", result: "ok" }).inc();
        metrics.binding(Binding::Resumed);
        metrics.tls_handshake(None);
        let rows = rows(&metrics.encode());
        let page = include_str!("../../docs/reference/metrics.md");
        let listed: Vec<_> = page.lines().filter(|line| line.starts_with("| `safetp_gateway_")).collect();
        assert_eq!(listed, rows, "\n{}", rows.join("\n"));
    }
}
