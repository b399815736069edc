//! Serves clients: one control listener, all data listeners, one task for each session.

use std::{
    collections::BTreeSet,
    sync::{Arc, atomic::AtomicU64},
};

use safetp_config::{gateway::GatewayConfig, ports::PortRange};
use safetp_protocol::{data_ports::SessionId, session::Announced};
use tokio::{
    runtime::Handle,
    sync::{Semaphore, watch},
};
use tokio_util::task::TaskTracker;

use crate::{drain::Phase, metrics::Metrics, settings::InForce};

mod accept;
mod backend;
mod client;
pub mod data;
mod descriptors;
mod listen;
mod places;
mod records;
mod session;
mod tls;
mod unclosed;

pub use listen::{ListenError, listen};
pub use tls::{Identity, IdentityError, Tickets};

use data::{accept::Receptionist, budget::Budget, ports::PortDesk};
use descriptors::Allowance;
use listen::Listeners;
use unclosed::Unclosed;

/// What all sessions share.
#[derive(Debug)]
pub struct Gateway {
    settings: watch::Receiver<Arc<InForce>>,
    address: watch::Receiver<Option<Announced>>,
    drain: watch::Receiver<Phase>,
    ports: Arc<PortDesk>,
    metrics: Arc<Metrics>,
    sessions: accept::Sessions,
    budget: Budget,
    next_session: AtomicU64,
    unclosed: Unclosed,
    tasks: TaskTracker,
    /// Exchanges of X-SafeTP1 that are computed at once: strangers can ask for them, and each takes milliseconds.
    exchanges: Semaphore,
}

/// A gateway whose ports are all bound, so that nobody can take one, and which does not accept yet.
#[derive(Debug)]
pub struct Bound {
    gateway: Arc<Gateway>,
    listeners: Listeners,
}

impl Gateway {
    /// Binds every port of `config`: once, since the Service and the pod name them, too.
    pub fn bind(
        config: &GatewayConfig,
        settings: watch::Receiver<Arc<InForce>>,
        address: watch::Receiver<Option<Announced>>,
        drain: watch::Receiver<Phase>,
        metrics: Arc<Metrics>,
    ) -> Result<Bound, ListenError> {
        let listeners = Listeners::bind(config.listen_port, config.data_ports)?;
        let ports = Arc::new(PortDesk::new(config.data_ports, Arc::clone(&metrics)));
        let sessions = accept::Sessions::new(Allowance::of_this_process(listeners.data.len()));
        if let Some(problem) = sessions.problem(&config.limits) {
            tracing::warn!(problem, "fewer sessions than configured");
        }
        let gateway = Self {
            settings,
            address,
            drain,
            ports,
            metrics,
            sessions,
            budget: Budget::default(),
            next_session: AtomicU64::new(1),
            unclosed: Unclosed::default(),
            tasks: TaskTracker::new(),
            // As many as the runtime has threads: whoever is shut in can no longer ask how many processors it may use.
            exchanges: Semaphore::new(Handle::current().metrics().num_workers()),
        };
        Ok(Bound { gateway: Arc::new(gateway), listeners })
    }

    /// Control connections at this moment.
    pub fn sessions(&self) -> u32 {
        self.sessions.total()
    }

    /// Why fewer sessions are let in than the configuration allows.
    pub fn problem(&self) -> Option<String> {
        self.sessions.problem(&self.settings.borrow().config.limits)
    }

    /// Logins of which an upload was turned away for want of `close_notify`.
    pub fn unclosed_uploads(&self) -> BTreeSet<String> {
        self.unclosed.logins()
    }

    fn new_session_id(&self) -> SessionId {
        SessionId(self.next_session.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
    }
}

impl Bound {
    /// The control port, which is the system's choice where the configuration says 0.
    pub fn control_port(&self) -> u16 {
        self.listeners.control_port
    }

    /// The data ports.
    pub fn data_ports(&self) -> PortRange {
        self.listeners.data_ports
    }

    /// What all sessions share.
    pub fn gateway(&self) -> Arc<Gateway> {
        Arc::clone(&self.gateway)
    }

    /// Accepts until [`Phase::Over`], then returns when the last session has ended.
    pub async fn serve(self) {
        let Self { gateway, listeners } = self;
        let mut drain = gateway.drain.clone();
        let most_unproven = gateway.sessions.most_unproven();
        let receptionist = Receptionist::new(Arc::clone(&gateway.ports), gateway.settings.clone(), most_unproven);
        let receptionist = Arc::new(receptionist);
        let accepting: Vec<_> = listeners
            .data
            .into_iter()
            .map(|(port, listener)| tokio::spawn(data::accept::run(port, listener, Arc::clone(&receptionist))))
            .chain([
                tokio::spawn(Arc::clone(&gateway.ports).run_timers()),
                tokio::spawn(accept::run(listeners.control, Arc::clone(&gateway))),
            ])
            .collect();
        // Sessions that were accepted before the drain began end with it; strays that come meanwhile get 421.
        let _ = drain.wait_for(|phase| *phase != Phase::Serving).await;
        gateway.sessions.wait_for_none().await;
        for task in accepting {
            task.abort();
        }
        gateway.tasks.close();
        gateway.tasks.wait().await;
    }
}
