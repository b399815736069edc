//! The commands that change or show names: rm, rmdir, mv, mkdir, cd, pwd.

use safetp_protocol::command::Argument;

use crate::{
    failure::{Failure, Refusal, Result},
    session::{CommandLine, Session, directory, shown},
    text::ServerText,
    url::RemotePath,
};

/// Removes a file, or an empty directory if the path ends in a slash.
pub(crate) async fn remove(session: &mut Session, path: &RemotePath) -> Result<()> {
    if path.is_directory() {
        return remove_directory(session, path).await;
    }
    session.expect(&CommandLine::with("DELE", Some(&named(path)?))).await.map(drop)
}

/// Removes an empty directory.
pub(crate) async fn remove_directory(session: &mut Session, path: &RemotePath) -> Result<()> {
    session.expect(&CommandLine::with("RMD", Some(&named(path)?))).await.map(drop)
}

/// Renames a file or a directory, or moves it into the directory `to`.
pub(crate) async fn rename(session: &mut Session, from: &RemotePath, to: &RemotePath) -> Result<()> {
    let to = if to.is_directory() { to.join(from.file_name())? } else { to.clone() };
    session.expect(&CommandLine::with("RNFR", Some(&named(from)?))).await?;
    session.expect(&CommandLine::with("RNTO", Some(&named(&to)?))).await.map(drop)
}

/// Creates a directory.
pub(crate) async fn make_directory(session: &mut Session, path: &RemotePath) -> Result<()> {
    session.expect(&CommandLine::with("MKD", Some(&named(path)?))).await.map(drop)
}

/// Changes the working directory.
pub(crate) async fn change_directory(session: &mut Session, path: &RemotePath) -> Result<()> {
    session.expect(&CommandLine::with("CWD", Some(&named(path)?))).await.map(drop)
}

/// Returns the working directory.
pub(crate) async fn working_directory(session: &mut Session) -> Result<ServerText> {
    let command = CommandLine::verb("PWD");
    let reply = session.expect(&command).await?;
    let unexpected = || Refusal::BadReply { command: command.to_string(), reply: shown(&reply) };
    Ok(directory(&reply).ok_or_else(unexpected)?)
}

fn named(path: &RemotePath) -> Result<Argument> {
    path.argument().ok_or_else(|| Failure::Usage("the URL has no path".into()))
}
