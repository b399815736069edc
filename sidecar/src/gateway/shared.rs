//! The state that all sessions of a gateway share.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use safetp_config::ports::PortRange;
use safetp_protocol::{data_ports::SessionId, session::Announced};
use tokio::{
    runtime::Handle,
    sync::{Semaphore, watch},
};
use tokio_util::task::TaskTracker;

use super::{
    data::{budget::Budget, ports::PortAllocator},
    sessions::Sessions,
    unclosed::Unclosed,
};
use crate::{drain::Phase, metrics::Metrics, settings::ActiveSettings};

/// State that all sessions share.
#[derive(Debug)]
pub struct Gateway {
    pub(crate) settings: watch::Receiver<Arc<ActiveSettings>>,
    pub(crate) address: watch::Receiver<Option<Announced>>,
    pub(crate) drain: watch::Receiver<Phase>,
    pub(crate) ports: Arc<PortAllocator>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) sessions: Sessions,
    pub(crate) budget: Budget,
    pub(crate) unclosed: Unclosed,
    pub(crate) tasks: TaskTracker,
    /// Exchanges of X-SafeTP1 that are computed at once: strangers can ask for them, and each takes milliseconds.
    pub(crate) exchanges: Semaphore,
    next_session: AtomicU64,
}

impl Gateway {
    pub(crate) fn new(
        data_ports: PortRange,
        sessions: Sessions,
        settings: watch::Receiver<Arc<ActiveSettings>>,
        address: watch::Receiver<Option<Announced>>,
        drain: watch::Receiver<Phase>,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            settings,
            address,
            drain,
            ports: Arc::new(PortAllocator::new(data_ports, Arc::clone(&metrics))),
            metrics,
            sessions,
            budget: Budget::default(),
            unclosed: Unclosed::default(),
            tasks: TaskTracker::new(),
            // As many as the runtime has threads: a process that is shut in cannot ask how many processors it may use.
            exchanges: Semaphore::new(Handle::current().metrics().num_workers()),
            next_session: AtomicU64::new(1),
        }
    }

    /// Control connections at this moment.
    pub fn sessions(&self) -> u32 {
        self.sessions.total()
    }

    /// Reason why fewer sessions are admitted than the configuration allows.
    pub fn problem(&self) -> Option<String> {
        self.sessions.problem(&self.settings.borrow().config.limits)
    }

    /// Logins whose uploads were refused for want of `close_notify`.
    pub fn unclosed_uploads(&self) -> BTreeSet<String> {
        self.unclosed.logins()
    }

    pub(crate) fn new_session_id(&self) -> SessionId {
        SessionId(self.next_session.fetch_add(1, Ordering::Relaxed))
    }
}
