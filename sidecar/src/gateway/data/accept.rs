//! One listener of one data port: every connection goes to the session that waits for it, or nowhere. Where several
//! sessions wait for the same peer, the TLS handshake tells whose it is.

use std::{net::IpAddr, sync::Arc, time::Duration};

use safetp_protocol::data_ports::{Arrival, Unproven};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
};

use super::{Connection, ports::PortDesk, waiting_room::WaitingRoom, wire::Wire};
use crate::{
    gateway::{
        listen,
        tls::{self, Unresumed},
    },
    settings::InForce,
};

/// After a failed accept: out of descriptors or memory, which does not get better by asking at once again.
const PAUSE: Duration = Duration::from_millis(100);

/// How long a connection may be silent that comes from where no client is that is waited for.
const SILENT_TIME: Duration = Duration::from_secs(5);

/// Finds the owner of each data connection.
#[derive(Debug)]
pub(in crate::gateway) struct Receptionist {
    desk: Arc<PortDesk>,
    settings: watch::Receiver<Arc<InForce>>,
    waiting: Arc<WaitingRoom>,
}

impl Receptionist {
    /// `most_unproven` connections at once may have yet to prove whose they are.
    pub(in crate::gateway) fn new(
        desk: Arc<PortDesk>,
        settings: watch::Receiver<Arc<InForce>>,
        most_unproven: usize,
    ) -> Self {
        Self { desk, settings, waiting: Arc::new(WaitingRoom::new(most_unproven)) }
    }

    fn receive(self: &Arc<Self>, port: u16, stream: TcpStream, peer: IpAddr) {
        match self.desk.handle_connection(port, peer) {
            Arrival::Of(session) => self.desk.hand_over(session, Connection::Plain(Wire::accepted(stream))),
            Arrival::ToBeProven { from_client } => self.prove(port, stream, peer, from_client),
            Arrival::Stranger => self.desk.turn_away(port, peer, &stream),
        }
    }

    fn prove(self: &Arc<Self>, port: u16, stream: TcpStream, peer: IpAddr, from_client: bool) {
        let receptionist = Arc::clone(self);
        let seat = self.waiting.enter(peer);
        tokio::spawn(async move {
            tokio::select! {
                () = receptionist.ask_for_proof(port, stream, peer, from_client) => {}
                () = seat.displaced() => tracing::debug!(port, %peer, "a newer connection needs the place of this one"),
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
            return self.desk.turn_away(port, peer, &stream);
        }
        match identity.accept_resumption(Wire::accepted(stream)).await {
            Ok(accepted) => self.desk.handle_accepted(port, peer, accepted),
            Err(Unresumed { error, shown, was_full }) => {
                let why = tls::connection_text(&error);
                tracing::debug!(port, %peer, error = why, "a data connection did not resume a session");
                if was_full {
                    self.desk.handle_unproven(port, Unproven { peer, shown });
                }
            }
        }
    }
}

pub(in crate::gateway) async fn run(port: u16, listener: TcpListener, receptionist: Arc<Receptionist>) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                if listen::prepare(&stream).is_ok() {
                    receptionist.receive(port, stream, peer.ip().to_canonical());
                }
            }
            Err(error) => {
                tracing::warn!(port, %error, "failed to accept a data connection");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}
