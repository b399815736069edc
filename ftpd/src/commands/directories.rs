//! CWD, CDUP, PWD, MKD, RMD (RFC 959 §4.1.1 and §4.1.3).

use super::answer::Answer;
use crate::{
    files::Refusal,
    session::{Session, Stage},
};

pub(super) async fn cwd(session: &mut Session, argument: &[u8]) -> Result<Answer, Refusal> {
    let account = session.account()?.clone();
    let path = account.named_path(argument)?;
    let path = session.blocking(move || account.home.enter(&path).map(|()| path)).await?;
    let text = [path.quoted().as_slice(), b" is the current directory."].concat();
    if let Stage::LoggedIn(account) = &mut session.stage {
        account.directory = path;
    }
    Ok(Answer::reply(250, text))
}

pub(super) fn pwd(session: &Session) -> Result<Answer, Refusal> {
    let path = session.account()?.directory.quoted();
    Ok(Answer::reply(257, [path.as_slice(), b" is the current directory."].concat()))
}

pub(super) async fn mkd(session: &Session, argument: &[u8]) -> Result<Answer, Refusal> {
    let account = session.account()?.clone();
    let path = account.named_path(argument)?;
    let text = [path.quoted().as_slice(), b" created."].concat();
    session.blocking(move || account.home.make_dir(&path)).await?;
    Ok(Answer::reply(257, text))
}

pub(super) async fn rmd(session: &Session, argument: &[u8]) -> Result<Answer, Refusal> {
    let account = session.account()?.clone();
    let path = account.named_path(argument)?;
    session.blocking(move || account.home.remove_dir(&path)).await?;
    Ok(Answer::reply(250, "Directory removed."))
}
