//! A gateway from its bound ports to the end of its last session.

use std::sync::Arc;

use safetp_config::{gateway::GatewayConfig, ports::PortRange};
use safetp_protocol::session::Announced;
use tokio::sync::watch;

use super::{
    accept,
    data::accept::{self as accept_data, DataAcceptor},
    descriptors::Allowance,
    listen::{ListenError, Listeners},
    sessions::Sessions,
    shared::Gateway,
};
use crate::{drain::Phase, metrics::Metrics, settings::ActiveSettings};

/// A gateway whose ports are all bound, so that no other program can take one, and which does not accept yet.
#[derive(Debug)]
pub struct Bound {
    gateway: Arc<Gateway>,
    listeners: Listeners,
}

impl Bound {
    /// Binds every port of `config`: once, since the Service and the pod name them, too.
    pub fn new(
        config: &GatewayConfig,
        settings: watch::Receiver<Arc<ActiveSettings>>,
        address: watch::Receiver<Option<Announced>>,
        drain: watch::Receiver<Phase>,
        metrics: Arc<Metrics>,
    ) -> Result<Self, ListenError> {
        let listeners = Listeners::bind(config.listen_port, config.data_ports)?;
        let sessions = Sessions::new(Allowance::of_this_process(listeners.data.len()));
        if let Some(problem) = sessions.problem(&config.limits) {
            tracing::warn!(problem, "fewer sessions than configured");
        }
        let gateway = Gateway::new(config.data_ports, sessions, settings, address, drain, metrics);
        Ok(Self { gateway: Arc::new(gateway), listeners })
    }

    /// The control port, which is the system's choice where the configuration says 0.
    pub fn control_port(&self) -> u16 {
        self.listeners.control_port
    }

    /// The data ports.
    pub fn data_ports(&self) -> PortRange {
        self.listeners.data_ports
    }

    /// State that all sessions share.
    pub fn gateway(&self) -> Arc<Gateway> {
        Arc::clone(&self.gateway)
    }

    /// Accepts until [`Phase::Over`], then returns when the last session has ended.
    pub async fn serve(self) {
        let Self { gateway, listeners } = self;
        let mut drain = gateway.drain.clone();
        let most_unproven = gateway.sessions.most_unproven();
        let acceptor = DataAcceptor::new(Arc::clone(&gateway.ports), gateway.settings.clone(), most_unproven);
        let acceptor = Arc::new(acceptor);
        let accepting: Vec<_> = listeners
            .data
            .into_iter()
            .map(|(port, listener)| tokio::spawn(accept_data::run(port, listener, Arc::clone(&acceptor))))
            .chain([
                tokio::spawn(Arc::clone(&gateway.ports).run_timers()),
                tokio::spawn(accept::run(listeners.control, Arc::clone(&gateway))),
            ])
            .collect();
        // Sessions that were accepted before the drain began end with it; connections that come meanwhile get 421.
        let _ = drain.wait_for(|phase| *phase != Phase::Serving).await;
        gateway.sessions.wait_for_none().await;
        for task in accepting {
            task.abort();
        }
        gateway.tasks.close();
        gateway.tasks.wait().await;
    }
}
