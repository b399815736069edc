//! The listeners of the data ports: every connection goes to the session that waits for it, or is dropped. Where
//! several sessions wait for the same peer, the TLS handshake tells whose it is.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use safetp_program::accept::accept_each;
use safetp_protocol::data_ports::{Arrival, Unproven};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
};

use super::{connection::DataConnection, ports::PortAllocator, waiting_room::WaitingRoom};
use crate::{
    gateway::listen,
    settings::ActiveSettings,
    tls::{self, Unresumed},
    wire::Wire,
};

/// Time for the first octet of a connection from an address where no waiting session has its client.
const SILENT_TIME: Duration = Duration::from_secs(5);

/// Finds the owner of each data connection.
#[derive(Debug)]
pub(crate) struct DataAcceptor {
    ports: Arc<PortAllocator>,
    settings: watch::Receiver<Arc<ActiveSettings>>,
    waiting: Arc<WaitingRoom>,
}

impl DataAcceptor {
    /// At most `most_unproven` connections at once may have yet to prove whose they are.
    pub(crate) fn new(
        ports: Arc<PortAllocator>,
        settings: watch::Receiver<Arc<ActiveSettings>>,
        most_unproven: usize,
    ) -> Self {
        Self { ports, settings, waiting: Arc::new(WaitingRoom::new(most_unproven)) }
    }

    fn receive(self: &Arc<Self>, port: u16, stream: TcpStream, peer: IpAddr) {
        match self.ports.handle_connection(port, peer) {
            Arrival::Of(session) => {
                self.ports.hand_over(session, DataConnection::Plain(Wire::accepted(stream)));
            }
            Arrival::ToBeProven { from_client } => self.prove(port, stream, peer, from_client),
            Arrival::Stranger => self.ports.drop_stray(port, peer, &stream),
        }
    }

    fn prove(self: &Arc<Self>, port: u16, stream: TcpStream, peer: IpAddr, from_client: bool) {
        let acceptor = Arc::clone(self);
        let seat = self.waiting.enter(peer);
        tokio::spawn(async move {
            tokio::select! {
                () = acceptor.ask_for_proof(port, stream, peer, from_client) => {}
                () = seat.displaced() => tracing::debug!(port, %peer, "dropped a data connection for a newer one"),
            }
        });
    }

    async fn ask_for_proof(&self, port: u16, stream: TcpStream, peer: IpAddr, from_client: bool) {
        let settings = Arc::clone(&self.settings.borrow());
        let Some(identity) = &settings.identity else { return };
        // A client speaks only after the reply to its command, for which the ftpd may need a while.
        let data_time = Duration::from_secs(settings.config.limits.data_seconds.into());
        let time = if from_client { data_time } else { data_time.min(SILENT_TIME) };
        if tokio::time::timeout(time, stream.readable()).await.is_err() {
            return self.ports.drop_stray(port, peer, &stream);
        }
        match identity.accept_resumption(Wire::accepted(stream)).await {
            Ok(accepted) => self.ports.handle_accepted(port, peer, accepted),
            Err(Unresumed { error, shown, was_full }) => {
                let why = tls::connection_text(&error);
                tracing::debug!(port, %peer, error = why, "a data connection did not resume a session");
                if was_full {
                    self.ports.handle_unproven(port, Unproven { peer, shown });
                }
            }
        }
    }
}

/// Accepts on one data port for as long as the gateway serves.
pub(crate) async fn run(port: u16, listener: TcpListener, acceptor: Arc<DataAcceptor>) {
    let handle = |(stream, peer): (TcpStream, SocketAddr)| {
        if listen::prepare(&stream).is_ok() {
            acceptor.receive(port, stream, peer.ip().to_canonical());
        }
    };
    accept_each(format!("data port {port}"), || listener.accept(), handle).await;
}
