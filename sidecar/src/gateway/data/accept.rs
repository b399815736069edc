//! One listener of one data port: every connection goes to the session that waits for it, or nowhere. Where several
//! sessions wait for the same peer, the TLS handshake tells whose it is.

use std::{net::IpAddr, sync::Arc, time::Duration};

use safetp_protocol::data_ports::Arrival;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
};

use super::{Connection, ports::PortDesk, wire::Wire};
use crate::{gateway::listen, settings::InForce};

/// After a failed accept: out of descriptors or memory, which does not get better by asking at once again.
const PAUSE: Duration = Duration::from_millis(100);

/// Handshakes under way at once to learn whose a connection is. A client speaks only after its 150, so as many are
/// idle as there are transfers about to begin.
const MAX_UNPROVEN: usize = 4096;

/// Finds the owner of each data connection.
#[derive(Debug)]
pub(in crate::gateway) struct Receptionist {
    desk: Arc<PortDesk>,
    settings: watch::Receiver<Arc<InForce>>,
    unproven: Arc<Semaphore>,
}

impl Receptionist {
    pub(in crate::gateway) fn new(desk: Arc<PortDesk>, settings: watch::Receiver<Arc<InForce>>) -> Self {
        Self { desk, settings, unproven: Arc::new(Semaphore::new(MAX_UNPROVEN)) }
    }

    fn receive(self: &Arc<Self>, port: u16, stream: TcpStream, peer: IpAddr) {
        match self.desk.handle_connection(port, peer) {
            Arrival::Of(session) => self.desk.hand_over(session, Connection::Plain(Wire::accepted(stream))),
            Arrival::ToBeProven => self.prove(port, stream, peer),
            Arrival::Stranger => self.desk.turn_away(port, peer, &stream),
        }
    }

    fn prove(self: &Arc<Self>, port: u16, stream: TcpStream, peer: IpAddr) {
        let Ok(permit) = Arc::clone(&self.unproven).try_acquire_owned() else {
            return self.desk.turn_away(port, peer, &stream);
        };
        let receptionist = Arc::clone(self);
        tokio::spawn(async move {
            receptionist.ask_for_proof(port, stream, peer).await;
            drop(permit);
        });
    }

    async fn ask_for_proof(&self, port: u16, stream: TcpStream, peer: IpAddr) {
        let Some(identity) = self.settings.borrow().identity.clone() else { return };
        match identity.accept_resumption(Wire::accepted(stream)).await {
            Ok(accepted) => self.desk.handle_accepted(port, peer, accepted),
            Err(error) => {
                tracing::debug!(port, %peer, %error, "a data connection did not resume a session");
                // One that merely breaks off has not shown to be a client that cannot resume.
                if matches!(error.get_ref(), Some(inner) if inner.is::<rustls::Error>()) {
                    self.desk.handle_unproven(port, peer);
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
