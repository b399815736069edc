//! DELE, RNFR, RNTO (RFC 959 §4.1.3).

use super::answer::Answer;
use crate::{files::Refusal, session::Session};

pub(super) async fn dele(session: &Session, argument: &[u8]) -> Result<Answer, Refusal> {
    let account = session.account()?.clone();
    let path = account.named_path(argument)?;
    session.blocking(move || account.home.remove_file(&path)).await?;
    Ok(Answer::reply(250, "File removed."))
}

pub(super) async fn rnfr(session: &mut Session, argument: &[u8]) -> Result<Answer, Refusal> {
    session.rename_from = None;
    let account = session.account()?.clone();
    let path = account.named_path(argument)?;
    session.rename_from = Some(session.blocking(move || account.home.renamable(&path).map(|()| path)).await?);
    Ok(Answer::reply(350, "Send RNTO with the new name."))
}

pub(super) async fn rnto(session: &mut Session, argument: &[u8]) -> Result<Answer, Refusal> {
    let from = session.rename_from.take().ok_or(Refusal::Order("Send RNFR first."))?;
    let account = session.account()?.clone();
    let to = account.named_path(argument)?;
    session.blocking(move || account.home.rename(&from, &to)).await?;
    Ok(Answer::reply(250, "Renamed."))
}
