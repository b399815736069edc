//! What the gateway says and asks for itself: XPEER and XDIGEST (see [`safetp_config::ftpd`]).

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use super::Answer;
use crate::{
    files::Refusal,
    session::{Peer, Session, Stage},
};

pub(super) fn xpeer(session: &mut Session, argument: &str) -> Result<Answer, Refusal> {
    if !matches!(session.stage, Stage::Stranger) || session.peer.is_some() {
        return Err(Refusal::Order("XPEER comes once, before USER."));
    }
    let (address, _) = argument.split_once(' ').ok_or(Refusal::Arguments("XPEER needs an address and a session."))?;
    session.peer = Some(Peer { text: argument.to_owned(), address: ip_of(address) });
    Ok(Answer::reply(200, "OK."))
}

fn ip_of(address: &str) -> Option<IpAddr> {
    let with_port = || address.parse::<SocketAddr>().map(|address| address.ip());
    address.parse().or_else(|_| with_port()).ok().map(|address: IpAddr| address.to_canonical())
}

/// Looks at the files first, so that the answer is exact even before their change was noticed.
pub(super) async fn xdigest(session: &Session) -> Result<Answer, Refusal> {
    let settings = Arc::clone(&session.shared.settings);
    // The gateway asks, and no client: nobody's share.
    let digest = tokio::task::spawn_blocking(move || {
        settings.reload_or_keep();
        settings.current().digest().to_string()
    });
    let digest = digest.await.map_err(|_| Refusal::Internal)?;
    Ok(Answer::reply(200, format!("{digest} {}", session.shared.landlock)))
}
