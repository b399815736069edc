//! What the gateway says and asks for itself: XPEER and XDIGEST (see [`safetp_config::ftpd`]).

use std::sync::Arc;

use super::Answer;
use crate::{
    files::{Refusal, blocking},
    session::{Session, Stage},
};

pub(super) fn xpeer(session: &mut Session, argument: &str) -> Result<Answer, Refusal> {
    if !matches!(session.stage, Stage::Stranger) || session.peer.is_some() {
        return Err(Refusal::Order("XPEER comes once, before USER."));
    }
    if argument.split(' ').filter(|word| !word.is_empty()).count() != 2 {
        return Err(Refusal::Arguments("XPEER needs an address and a session."));
    }
    session.peer = Some(argument.to_owned());
    Ok(Answer::reply(200, "OK."))
}

/// Looks at the files first, so that the answer is exact even before their change was noticed.
pub(super) async fn xdigest(session: &Session) -> Result<Answer, Refusal> {
    let settings = Arc::clone(&session.shared.settings);
    let digest = blocking(move || {
        settings.reload_or_keep();
        Ok(settings.current().digest().to_string())
    })
    .await?;
    Ok(Answer::reply(200, digest))
}
