//! Control connections: each is given a session of its own, or sent away with the reason.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use safetp_program::accept::accept_each;
use tokio::net::{TcpListener, TcpStream};

use super::{client::ClientStream, listen, place::Place, places::Refused, session, shared::Gateway};

/// Accepts for as long as the gateway serves.
pub(crate) async fn run(listener: TcpListener, gateway: Arc<Gateway>) {
    let handle = |(stream, peer)| handle_connection(stream, peer, &gateway);
    accept_each("control", || listener.accept(), handle).await;
}

fn handle_connection(stream: TcpStream, peer: SocketAddr, gateway: &Arc<Gateway>) {
    let peer = peer.ip().to_canonical();
    if let Err(error) = listen::prepare(&stream).and_then(|()| listen::keep_urgent_inline(&stream)) {
        tracing::debug!(%peer, %error, "the client was gone before its session began");
        return;
    }
    match Place::take(peer, gateway) {
        Ok(place) => start(stream, peer, place, gateway),
        Err(refused) => refuse(stream, refused, gateway),
    }
}

fn start(stream: TcpStream, peer: IpAddr, place: Place, gateway: &Arc<Gateway>) {
    let session = place.session();
    let task = gateway.tasks.spawn(session::run(stream, peer, place, Arc::clone(gateway)));
    gateway.sessions.keep_handle(session, task.abort_handle());
}

fn refuse(stream: TcpStream, refused: Refused, gateway: &Arc<Gateway>) {
    gateway.metrics.refused(refused.name());
    if gateway.tasks.len() > gateway.sessions.total() as usize + gateway.sessions.most_refusals() {
        return;
    }
    gateway.tasks.spawn(async move {
        let mut client = ClientStream::Clear(stream);
        if client.write(&refused.reply().encode()).await.is_ok() {
            client.say_goodbye().await;
        }
    });
}
