//! What the gateway says and asks for itself (see [`safetp_protocol::dialect`]).

use std::sync::Arc;

use safetp_protocol::dialect::{DigestAnswer, Peer};

use super::answer::Answer;
use crate::{
    files::Refusal,
    session::{Session, Stage},
};

pub(super) fn handle_peer(session: &mut Session, peer: Peer) -> Result<Answer, Refusal> {
    if !matches!(session.stage, Stage::Stranger) || session.peer.is_some() {
        return Err(Refusal::Order("The client's address comes once, before USER."));
    }
    session.peer = Some(Peer { address: peer.address.to_canonical(), ..peer });
    Ok(Answer::reply(200, "OK."))
}

/// Looks at the files first, so that the answer is exact even before their change was noticed.
pub(super) async fn answer_digest(session: &Session) -> Result<Answer, Refusal> {
    let settings = Arc::clone(&session.shared.settings);
    // The gateway asks, and no client: nobody's share.
    let digest = tokio::task::spawn_blocking(move || {
        settings.reload();
        settings.current().digest().to_string()
    });
    let digest = digest.await.map_err(|_| Refusal::Internal)?;
    let answer = DigestAnswer { digest: &digest, landlock: Some(&session.shared.landlock.to_string()) };
    Ok(Answer::reply(200, answer.to_string()))
}
