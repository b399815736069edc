//! State of one session's I/O.

use std::{
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use safetp_protocol::{
    data_ports::SessionId,
    session::{Announced, Session},
};
use tokio::{net::TcpStream, sync::watch};

use super::{core_settings, data::SessionData};
use crate::{
    drain::Phase,
    gateway::{
        backend::FtpdConnection, client::ClientStream, data::ports::Registration, place::Place, shared::Gateway,
    },
    settings::ActiveSettings,
    tls::Identity,
};

/// One session: the state machine, its two connections, and what it holds of the gateway.
pub(crate) struct SessionDriver {
    pub(crate) id: SessionId,
    pub(crate) peer: IpAddr,
    pub(crate) place: Place,
    pub(crate) core: Session,
    pub(crate) client: ClientStream,
    pub(crate) backend: FtpdConnection,
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) settings: Arc<ActiveSettings>,
    /// The certificate that the control connection is under, from AUTH TLS on.
    pub(crate) identity: Option<Arc<Identity>>,
    pub(crate) ports: Registration,
    pub(crate) data: SessionData,
    pub(crate) address: watch::Receiver<Option<Announced>>,
    pub(crate) drain: watch::Receiver<Phase>,
    /// When the session ends whatever it does, set once the drain is over.
    pub(crate) kill_at: Option<Instant>,
}

impl SessionDriver {
    pub(crate) fn new(
        peer: IpAddr,
        place: Place,
        stream: TcpStream,
        backend: FtpdConnection,
        settings: Arc<ActiveSettings>,
        gateway: Arc<Gateway>,
    ) -> Self {
        let id = place.session();
        let mut address = gateway.address.clone();
        let announced = address.borrow_and_update().clone();
        let core_settings = Arc::new(core_settings::from_active(&settings));
        let core = Session::new(id, peer, core_settings, announced, Instant::now());
        let mut drain = gateway.drain.clone();
        // The drain may have begun since this connection was accepted.
        drain.mark_changed();
        Self {
            id,
            peer,
            place,
            core,
            client: ClientStream::Clear(stream),
            backend,
            ports: gateway.ports.register(id),
            settings,
            identity: None,
            data: SessionData::default(),
            address,
            drain,
            gateway,
            kill_at: None,
        }
    }

    /// Time in which a connection must move enough octets.
    pub(crate) fn stall(&self) -> Duration {
        Duration::from_secs(self.settings.config.limits.data_seconds.into())
    }
}
