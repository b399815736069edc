//! Control connections: counted, bounded, each given to a session of its own.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use safetp_config::gateway::Limits;
use safetp_protocol::reply::Reply;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
};

use super::{Gateway, client::ClientStream, listen, session};
use crate::drain::Phase;

/// After a failed accept: out of descriptors or memory, which does not get better by asking at once again.
const PAUSE: Duration = Duration::from_millis(100);
/// How many refused clients are told why at the same time; the others are dropped.
const MAX_REFUSALS: usize = 256;

/// Sessions, in all and by peer.
#[derive(Debug)]
pub(super) struct Counts {
    by_peer: Mutex<HashMap<IpAddr, u32>>,
    total: watch::Sender<u32>,
}

impl Default for Counts {
    fn default() -> Self {
        Self { by_peer: Mutex::default(), total: watch::Sender::new(0) }
    }
}

/// One session's place in the [`Counts`].
#[derive(Debug)]
pub(super) struct Place {
    gateway: Arc<Gateway>,
    peer: IpAddr,
}

impl Counts {
    pub(super) fn total(&self) -> u32 {
        *self.total.borrow()
    }

    /// Whether more than one session comes from this address, as behind a NAT.
    pub(super) fn is_shared(&self, peer: IpAddr) -> bool {
        self.by_peer.lock().unwrap_or_else(PoisonError::into_inner).get(&peer).is_some_and(|sessions| *sessions > 1)
    }

    pub(super) async fn wait_for_none(&self) {
        // The sender lives as long as `self`, so this cannot fail.
        let _ = self.total.subscribe().wait_for(|total| *total == 0).await;
    }

    fn add(&self, peer: IpAddr, limits: &Limits) -> Result<(), Refused> {
        let mut by_peer = self.by_peer.lock().unwrap_or_else(PoisonError::into_inner);
        if self.total() >= limits.sessions {
            return Err(Refused::Full);
        }
        let of_peer = by_peer.entry(peer).or_default();
        if limits.sessions_per_peer > 0 && *of_peer >= limits.sessions_per_peer {
            return Err(Refused::PeerFull);
        }
        *of_peer += 1;
        self.total.send_modify(|total| *total += 1);
        Ok(())
    }

    fn remove(&self, peer: IpAddr) {
        let mut by_peer = self.by_peer.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(of_peer) = by_peer.get_mut(&peer) {
            *of_peer = of_peer.saturating_sub(1);
            if *of_peer == 0 {
                by_peer.remove(&peer);
            }
        }
        self.total.send_modify(|total| *total = total.saturating_sub(1));
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.gateway.sessions.remove(self.peer);
        self.gateway.metrics.sessions.dec();
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refused {
    Draining,
    Full,
    PeerFull,
}

impl Refused {
    fn reply(self) -> Reply {
        Reply::new(
            421,
            match self {
                Self::Draining => "The server is shutting down; connect again.",
                Self::Full => "This server has as many sessions as it is allowed; try again.",
                Self::PeerFull => "Your address has as many sessions as one address is allowed; try again.",
            },
        )
    }

    fn name(self) -> &'static str {
        match self {
            Self::Draining => "draining",
            Self::Full => "sessions",
            Self::PeerFull => "sessions_per_peer",
        }
    }
}

pub(super) async fn run(listener: TcpListener, gateway: Arc<Gateway>) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => handle_connection(stream, peer, &gateway),
            Err(error) => {
                tracing::warn!(%error, "failed to accept a control connection");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

fn handle_connection(stream: TcpStream, peer: SocketAddr, gateway: &Arc<Gateway>) {
    let peer = peer.ip().to_canonical();
    if let Err(error) = listen::prepare(&stream).and_then(|()| listen::keep_urgent_inline(&stream)) {
        tracing::debug!(%peer, %error, "the client was gone before its session began");
        return;
    }
    match admit(peer, gateway) {
        Ok(place) => {
            let session = session::run(stream, peer, Arc::clone(gateway));
            gateway.tasks.spawn(async move {
                session.await;
                drop(place);
            });
        }
        Err(refused) => refuse(stream, refused, gateway),
    }
}

fn admit(peer: IpAddr, gateway: &Arc<Gateway>) -> Result<Place, Refused> {
    if *gateway.drain.borrow() != Phase::Serving {
        return Err(Refused::Draining);
    }
    gateway.sessions.add(peer, &gateway.settings.borrow().config.limits)?;
    gateway.metrics.sessions.inc();
    Ok(Place { gateway: Arc::clone(gateway), peer })
}

fn refuse(stream: TcpStream, refused: Refused, gateway: &Arc<Gateway>) {
    gateway.metrics.refused(refused.name());
    if gateway.tasks.len() > gateway.sessions.total() as usize + MAX_REFUSALS {
        return;
    }
    gateway.tasks.spawn(async move {
        let mut client = ClientStream::Clear(stream);
        if client.write(&refused.reply().encode()).await.is_ok() {
            client.say_goodbye().await;
        }
    });
}
